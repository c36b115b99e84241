"""Runs pg_dump and pg_restore. A password is passed in the environment, because arguments are visible to all users."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO
from urllib.parse import unquote, urlsplit

from stockbuddy.embedded.backup.errors import BackupFailed
from stockbuddy.local_servers.postgres_programs import client_program

MAX_ERROR_LINES = 3


class PostgresClient:
    """A client program with the credentials of a database's URL."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        credentials, _, hosts = parts.netloc.rpartition("@")
        user, _, password = credentials.partition(":")
        self._url = parts._replace(scheme="postgresql", netloc=f"{user}@{hosts}" if user else hosts).geturl()
        self._environment = {**os.environ, **({"PGPASSWORD": unquote(password)} if password else {})}

    @contextmanager
    def dump(self, snapshot: str) -> Iterator[IO[bytes]]:
        """The database at a snapshot in pg_dump's custom format. Raises BackupFailed if pg_dump fails."""
        process = self._start("pg_dump", "--format=custom", "--compress=gzip:1", f"--snapshot={snapshot}")
        assert process.stdout is not None
        with _ended(process):
            yield process.stdout
            process.stdout.close()
            _require_success(process, "pg_dump")

    @contextmanager
    def restore(self, *options: str) -> Iterator[IO[bytes]]:
        """Takes a dump and restores it in one transaction. Raises BackupFailed if pg_restore fails; an error of the
        block ends it, so that nothing is restored."""
        process = self._start("pg_restore", "--single-transaction", "--exit-on-error", *options)
        assert process.stdin is not None
        with _ended(process):
            try:
                yield process.stdin
                process.stdin.close()
            except BrokenPipeError:  # pg_restore has exited: its error follows
                pass
            _require_success(process, "pg_restore")

    def _start(self, name: str, *arguments: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [client_program(name), *arguments, f"--dbname={self._url}"],
            env=self._environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE if name == "pg_dump" else subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )


@contextmanager
def _ended(process: subprocess.Popen[bytes]) -> Iterator[None]:
    """Kill the process if the block fails, before its input ends: it would take an early end for a complete one."""
    try:
        yield
    finally:
        process.kill()
        process.wait()
        for stream in (process.stdin, process.stdout, process.stderr):
            if stream is not None:
                try:
                    stream.close()
                except BrokenPipeError:  # its buffer can't be written any more
                    continue


def _require_success(process: subprocess.Popen[bytes], name: str) -> None:
    assert process.stderr is not None
    output = process.stderr.read().decode(errors="replace").strip().splitlines()
    if process.wait() != 0:
        raise BackupFailed(f"{name} failed: {' '.join(output[:MAX_ERROR_LINES]) or 'no output'}")
