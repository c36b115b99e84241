"""A private PgBouncer from the program installed on this machine, in front of one or several local PostgreSQL servers.

It listens on a port of 127.0.0.1. PgBouncer refuses to run as root, so root runs it as an unprivileged account.
"""

from __future__ import annotations

import csv
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from configparser import ConfigParser
from io import StringIO
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import Self
from urllib.parse import parse_qs, urlsplit

from stockbuddy.local_servers.ports import free_port
from stockbuddy.local_servers.postgres_programs import account_for, find_programs
from stockbuddy.local_servers.process_reaper import ProcessReaper

START_TIMEOUT_SECONDS = 30.0
STOP_TIMEOUT_SECONDS = 30.0
POLL_INTERVAL_SECONDS = 0.02

_SEARCH_PATH = f"{os.environ.get('PATH', os.defpath)}:/usr/local/sbin:/usr/sbin:/opt/homebrew/sbin"
_NOTHING: Mapping[str, str] = MappingProxyType({})


class LocalPgBouncerError(RuntimeError):
    """PgBouncer could not be started or refuses a command; the message contains the reason."""


class LocalPgBouncer:
    """`address`: host and port. `configuration`: the text of a `pgbouncer.ini`, of which `settings` replaces some; its
    databases are those of the local PostgreSQL at `server_urls`, of which each server session reaches the next one.
    `passwords`: of the roles that may log in. `files`: texts of files that settings name without a folder."""

    def __init__(
        self,
        directory: Path,
        server_urls: Sequence[str],
        *,
        passwords: Mapping[str, str],
        configuration: str,
        settings: Mapping[str, str] = _NOTHING,
        files: Mapping[str, str] = _NOTHING,
    ) -> None:
        self._directory = directory.absolute()
        self._account = account_for(self._directory / "files")
        self._files = self._directory / "files"
        self._files.mkdir(mode=0o700, parents=True)
        self._account.own(self._files)
        self._port = free_port()
        self._output = self._directory / "output.log"
        self._write("userlist.txt", "".join(f'"{name}" "{password}"\n' for name, password in passwords.items()))
        for name, content in files.items():
            self._write(name, content)
        own = {
            "listen_addr": "127.0.0.1",
            "listen_port": str(self._port),
            "unix_socket_dir": str(self._files),
            "auth_file": str(self._files / "userlist.txt"),
            **settings,
        }
        self._configuration = self._write("pgbouncer.ini", _merge(configuration, server_urls, own))
        self._process: subprocess.Popen[bytes] | None = None
        self._reaper: ProcessReaper | None = None

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self._port}"

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Return when it accepts connections. On the same port after `stop` and `kill`."""
        program = shutil.which("pgbouncer", path=_SEARCH_PATH)
        if program is None:
            raise LocalPgBouncerError("Install PgBouncer (Debian and Ubuntu: apt install pgbouncer)")
        with self._output.open("ab") as output:
            self._process = subprocess.Popen(
                [program, str(self._configuration)],
                cwd=self._files,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
                **self._account.credentials,
            )
        self._reaper = ProcessReaper([self._process.pid], signal.SIGKILL, self._account.credentials)
        deadline = time.monotonic() + START_TIMEOUT_SECONDS
        while not self._accepts_connections():
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.kill()
                raise LocalPgBouncerError(f"PgBouncer did not start:\n{self._output.read_text()[-4000:]}")
            time.sleep(POLL_INTERVAL_SECONDS)

    def stop(self) -> None:
        """End all connections at once. Idempotent."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """Crash: clients and servers get no message."""
        self._end(signal.SIGKILL)

    def command(self, command: str) -> list[dict[str, str]]:
        """Execute a command of the administration console (`SHOW POOLS`, `PAUSE`); returns its rows."""
        done = self._ask(command)
        if done.returncode != 0:
            raise LocalPgBouncerError(f"{command}: {done.stderr.strip()}")
        return list(csv.DictReader(done.stdout.splitlines()))

    def _end(self, last_signal: signal.Signals) -> None:
        if self._process is None:
            return
        self._process.send_signal(last_signal)
        try:
            self._process.wait(STOP_TIMEOUT_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None
        if self._reaper is not None:
            self._reaper.dismiss()

    def _accepts_connections(self) -> bool:
        return self._ask("SHOW VERSION").returncode == 0

    def _ask(self, command: str) -> subprocess.CompletedProcess[str]:
        """As the account of the process, which needs no password."""
        return subprocess.run(
            [
                find_programs(self._account) / "psql",
                *("--no-psqlrc", "--quiet", "--csv", "--host", self._files, "--port", str(self._port)),
                *("--username", "pgbouncer", "--dbname", "pgbouncer", "--command", command),
            ],
            cwd="/",
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            **self._account.credentials,
        )

    def _write(self, name: str, content: str) -> Path:
        path = self._files / name
        path.touch(mode=0o600)
        path.write_text(content)
        self._account.own(path)
        return path


def _merge(configuration: str, server_urls: Sequence[str], settings: Mapping[str, str]) -> str:
    """The configuration with other settings, for the databases of other servers."""
    merged = ConfigParser(interpolation=None)
    merged.read_string(configuration)
    servers = [parse_qs(urlsplit(url).query) for url in server_urls]
    hosts = ",".join(server["host"][0] for server in servers)
    merged["databases"] = {"*": f"host={hosts} port={servers[0]['port'][0]}"}
    merged["pgbouncer"].update(settings)
    text = StringIO()
    merged.write(text)
    return text.getvalue()
