"""The local PostgreSQL: restarts, crashes, orphans and wrong process ids."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from stockbuddy.local_servers.postgres import LocalPostgres, LocalPostgresError

FAST = {"fsync": "off"}

# Starts a server, says that it runs, and waits to be killed.
STARTER = """
import pathlib, sys, time
from stockbuddy.local_servers.postgres import LocalPostgres
server = LocalPostgres.start(pathlib.Path(sys.argv[1]), settings={"fsync": "off"})
print(server.url, flush=True)
time.sleep(600)
"""


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path / "postgres"


@pytest.fixture
def starter(directory: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that has started a server in `directory`."""
    command = [sys.executable, "-c", STARTER, str(directory)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        yield process
        process.kill()


async def execute(url: str, *statements: str) -> list[asyncpg.Record]:
    connection = await asyncpg.connect(url)
    try:
        rows: list[asyncpg.Record] = []
        for statement in statements:
            rows = await connection.fetch(statement)
        return rows
    finally:
        await connection.close()


def lock_file_of(directory: Path) -> Path:
    return next(directory.glob("*/postmaster.pid"))


def wait_until_ended(process_id: int) -> None:
    deadline = time.monotonic() + 60
    while Path(f"/proc/{process_id}/cwd").exists():
        assert time.monotonic() < deadline, f"the server {process_id} lives on"
        time.sleep(0.01)


async def test_second_start_finds_the_data_at_the_same_address(directory: Path) -> None:
    with LocalPostgres.start(directory, settings=FAST) as first:
        await execute(first.url, "CREATE TABLE kept (x int)", "INSERT INTO kept VALUES (7)")
    with LocalPostgres.start(directory, settings=FAST) as second:
        assert second.url == first.url
        assert await execute(second.url, "SELECT x FROM kept") == [(7,)]


async def test_server_is_durable_and_listens_on_its_socket_only(directory: Path) -> None:
    with LocalPostgres.start(directory) as server:
        assert await execute(server.url, "SHOW fsync") == [("on",)]
        assert await execute(server.url, "SHOW listen_addresses") == [("",)]
        socket = directory / "18" / ".s.PGSQL.5432"
        assert socket.stat().st_mode & 0o077 == 0


async def test_settings_are_passed_to_the_server(directory: Path) -> None:
    with LocalPostgres.start(directory, settings={**FAST, "max_connections": "37"}) as server:
        assert await execute(server.url, "SHOW max_connections") == [("37",)]
        assert await execute(server.url, "SHOW fsync") == [("off",)]


async def test_invalid_setting_is_reported_with_the_server_message(directory: Path) -> None:
    with pytest.raises(LocalPostgresError, match='unrecognized configuration parameter "colour"'):
        LocalPostgres.start(directory, settings={**FAST, "colour": "red"})
    with LocalPostgres.start(directory, settings=FAST) as server:
        assert await execute(server.url, "SELECT 1") == [(1,)]


async def test_encoding_is_utf8_whatever_the_environment(directory: Path) -> None:
    with LocalPostgres.start(directory, settings=FAST) as server:
        assert await execute(server.url, "SELECT lower('ÉTÉ ŽLUŤ')") == [("été žluť",)]
        assert await execute(server.url, "SHOW timezone") == [("UTC",)]


@pytest.mark.parametrize("name", ["with a space, a comma: and é", "long" * 40])
async def test_directory_may_have_any_name(tmp_path: Path, name: str) -> None:
    with LocalPostgres.start(tmp_path / name, settings=FAST) as server:
        assert await execute(server.url, "SELECT 1") == [(1,)]
        server.restart()
        assert await execute(server.url, "SELECT 2") == [(2,)]


async def test_directory_in_use_is_rejected(directory: Path) -> None:
    with LocalPostgres.start(directory, settings=FAST) as server:
        with pytest.raises(LocalPostgresError, match="in use by another running process"):
            LocalPostgres.start(directory, settings=FAST)
        assert await execute(server.url, "SELECT 1") == [(1,)]


async def test_killed_server_recovers_committed_data(directory: Path) -> None:
    with LocalPostgres.start(directory) as server:
        await execute(server.url, "CREATE TABLE kept (x int)", "INSERT INTO kept VALUES (7)")
        open_session = await asyncpg.connect(server.url)
        server.kill()
        server.restart()
        assert await execute(server.url, "SELECT x FROM kept") == [(7,)]
        open_session.terminate()


async def test_server_stops_when_its_parent_is_killed(directory: Path, starter: subprocess.Popen[str]) -> None:
    assert starter.stdout is not None
    assert starter.stdout.readline().startswith("postgresql://")
    process_id = int(lock_file_of(directory).read_text().split()[0])
    starter.kill()
    wait_until_ended(process_id)


async def test_start_succeeds_right_after_the_parent_was_killed(
    directory: Path, starter: subprocess.Popen[str]
) -> None:
    assert starter.stdout is not None
    url = starter.stdout.readline().strip()
    await execute(url, "CREATE TABLE kept (x int)", "INSERT INTO kept VALUES (7)")
    orphan = int(lock_file_of(directory).read_text().split()[0])
    starter.kill()
    starter.wait()
    with LocalPostgres.start(directory, settings=FAST) as server:
        assert int(lock_file_of(directory).read_text().split()[0]) != orphan
        assert await execute(server.url, "SELECT x FROM kept") == [(7,)]


async def test_orphaned_server_without_a_reaper_is_stopped(directory: Path, starter: subprocess.Popen[str]) -> None:
    """As after a kill in the moment before the guardian stands: here the guardian is killed first."""
    assert starter.stdout is not None
    starter.stdout.readline()
    orphan = int(lock_file_of(directory).read_text().split()[0])
    children = Path(f"/proc/{starter.pid}/task/{starter.pid}/children").read_text().split()
    for child in map(int, children):
        if child != orphan:
            os.kill(child, signal.SIGKILL)
    starter.kill()
    starter.wait()
    assert Path(f"/proc/{orphan}/cwd").exists()
    began = time.monotonic()
    with LocalPostgres.start(directory, settings=FAST) as server:
        assert not Path(f"/proc/{orphan}/cwd").exists()
        assert time.monotonic() - began < 30  # rather than after the minute in which it notices by itself
        assert await execute(server.url, "SELECT 1") == [(1,)]


async def test_unrelated_process_with_the_old_pid_is_not_stopped(directory: Path) -> None:
    server = LocalPostgres.start(directory, settings=FAST)
    server.kill()
    lock_file = lock_file_of(directory)
    owner = lock_file.stat()
    credentials: dict[str, Any] = {"user": owner.st_uid, "group": owner.st_gid} if os.geteuid() == 0 else {}
    with subprocess.Popen(["/bin/sleep", "600"], **credentials) as bystander:
        try:
            for path in (lock_file, lock_file.with_name(".s.PGSQL.5432.lock")):
                path.write_text("\n".join([str(bystander.pid), *path.read_text().splitlines()[1:], ""]))
            with LocalPostgres.start(directory, settings=FAST) as started:
                assert await execute(started.url, "SELECT 1") == [(1,)]
                assert bystander.poll() is None
        finally:
            bystander.kill()


async def test_interrupted_first_start_is_repeated(directory: Path) -> None:
    unfinished = directory / "18.new"
    unfinished.mkdir(parents=True)
    (unfinished / "PG_VERSION").write_text("18\n")
    with LocalPostgres.start(directory, settings=FAST) as server:
        assert await execute(server.url, "SELECT 1") == [(1,)]
    assert not unfinished.exists()


async def test_parent_folders_keep_their_permissions(directory: Path) -> None:
    directory.parent.chmod(0o700)
    before = [folder.stat().st_mode for folder in directory.parents]
    with LocalPostgres.start(directory, settings=FAST) as server:
        assert await execute(server.url, "SELECT 1") == [(1,)]
    assert [folder.stat().st_mode for folder in directory.parents] == before


def test_stop_is_idempotent(directory: Path) -> None:
    server = LocalPostgres.start(directory, settings=FAST)
    server.stop()
    server.stop()
