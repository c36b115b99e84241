"""A private Valkey or Redis that a test may stop, freeze and start again."""

from __future__ import annotations

import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

from stockbuddy.local_servers.ports import free_port


class PrivateValkey:
    """Keeps its port and loses its data when it stops."""

    def __init__(self) -> None:
        self.port = free_port()
        self._program = shutil.which("valkey-server") or shutil.which("redis-server")
        assert self._program, "install valkey-server or redis-server (Debian and Ubuntu: apt install redis-server)"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        """Return when clients can connect."""
        arguments = ["--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
        self._process = subprocess.Popen([str(self._program), *arguments], stdout=subprocess.PIPE)
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if b"eady to accept connections" in line:
                return

    def stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None

    def freeze(self) -> None:
        """It accepts connections and does not answer, until `thaw`."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)


@contextmanager
def private_valkey_server() -> Iterator[PrivateValkey]:
    server = PrivateValkey()
    server.start()
    try:
        yield server
    finally:
        server.stop()
