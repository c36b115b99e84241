"""`stockbuddy events archive`: former entries are in files, which the log continues."""

import asyncio
import gzip
import hashlib
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest
import uuid_utils
from httpx2 import AsyncClient

from stockbuddy.chassis.messaging.message import Message

FORMER = 30
KEPT = 5
LENGTH = FORMER + KEPT
OLD = "2024-03-01T08:00:00Z"
DEADLINE_SECONDS = 120
READ_LOCK = "LOCK TABLE event_log IN ACCESS SHARE MODE"
"""Of a report: former periods, which inherit from the table, are included."""


def till_opened(number: int, time: str = OLD) -> Message:
    event_id = str(uuid_utils.uuid7())
    attributes = {"specversion": "1.0", "id": event_id, "source": "/tills/4", "time": time}
    return Message(event_id, "till.opened", attributes, json.dumps({"till": number, "note": "seven"}).encode())


@pytest.fixture
def options() -> dict[str, Any]:
    return {"webhook_allow_private": True}


@pytest.fixture
async def owner(database_url: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(database_url, server_settings={"search_path": "notifications"})
    yield connection
    await connection.close()


@pytest.fixture
async def history(service: Any, owner: asyncpg.Connection, until: Any) -> None:
    """A former period of FORMER entries, and KEPT more."""
    await service.deliver([till_opened(number) for number in range(LENGTH)])
    await owner.execute(f"SELECT start_log_period('ORDER BY position DESC LIMIT {KEPT}')")

    async def is_fanned_out() -> bool:
        return bool(await owner.fetchval("SELECT position >= $1 FROM webhook_progress", LENGTH))

    await until(is_fanned_out)


class Archive:
    """The command, as the owner of the tables runs it."""

    def __init__(self, folder: Path, database_url: str) -> None:
        self.folder = folder
        self._environment = {**os.environ, "ENV": "development", "DATABASE_URL": database_url}

    @property
    def file(self) -> Path:
        return self.folder / f"event-log-{1:012}-{FORMER:012}.jsonl.gz"

    async def start(self, *options: str) -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "stockbuddy.notifications", "events", "archive", str(self.folder), *options),
            env=self._environment,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )

    async def run(self, *options: str) -> tuple[int | None, str]:
        """Exit code and output."""
        process = await self.start(*(options or ("--older-than", "365")))
        async with asyncio.timeout(DEADLINE_SECONDS):
            output, _ = await process.communicate()
        return process.returncode, output.decode()


@pytest.fixture
def archive(tmp_path: Path, database_url: str) -> Archive:
    return Archive(tmp_path, database_url)


async def read(admin: AsyncClient, path: str, status: int = 200, **query: Any) -> Any:
    response = await admin.get(path, params=query)
    assert response.status_code == status, response.text
    return response.json()


async def is_unchanged(admin: AsyncClient) -> bool:
    verdict = await read(admin, "/audit-logs/verify")
    return (verdict["ok"], verdict["entries"], verdict["archived_entries"]) == (True, LENGTH, 0)


@pytest.mark.usefixtures("history")
async def test_log_continues_the_archive(admin: AsyncClient, archive: Archive, until: Any) -> None:
    first = (await read(admin, "/events", limit=1))["next_cursor"]
    code, output = await archive.run()
    assert (code, f"entries 1 to {FORMER}: {archive.file}" in output) == (0, True), output

    async def is_logged() -> Any:
        return (await read(admin, "/events", types="notifications.entries.archived"))["items"]

    (event,) = await until(is_logged)
    digest = hashlib.sha256(archive.file.read_bytes()).hexdigest()
    assert (event["data"]["last"], event["data"]["file"], event["data"]["sha256"]) == (
        FORMER,
        archive.file.name,
        digest,
    )
    verdict = await read(admin, "/audit-logs/verify")
    assert (verdict["ok"], verdict["entries"], verdict["archived_entries"]) == (True, KEPT + 1, FORMER)

    numbers = [item["data"].get("till") for item in (await read(admin, "/events"))["items"]]
    assert numbers[:KEPT] == list(range(FORMER, LENGTH))
    problem = await read(admin, "/events", 409, after=first)
    assert (problem["code"], problem["last_archived_id"]) == ("cursor_archived", FORMER)
    following = await read(admin, "/events", after=problem["start"])
    assert following["items"][0]["data"]["till"] == FORMER
    assert (await read(admin, "/audit-logs"))["total"] == KEPT + 1
    assert (await read(admin, "/audit-logs", search="seven"))["total"] == KEPT
    assert await archive.run() == (0, "No former period of the event log is that old.\n")


@pytest.mark.usefixtures("history")
async def test_archive_and_export_are_verified_together(
    admin: AsyncClient, archive: Archive, tmp_path: Path, until: Any
) -> None:
    noted = await read(admin, "/audit-logs/verify")
    assert (await archive.run())[0] == 0

    async def is_signed() -> Any:
        return (await read(admin, "/audit-logs/checkpoints"))["items"]

    await until(is_signed)
    (tmp_path / "checkpoints").write_text((await admin.get("/audit-logs/checkpoints")).text)
    (tmp_path / "keys").write_text((await admin.get("/audit-logs/checkpoint-keys")).text)
    (tmp_path / "export").write_text((await admin.get("/audit-logs/export", params={"format": "chain"})).text)
    code, output = await verify(archive.file, tmp_path / "export", tmp_path)
    assert (code, "(1 to " in output) == (0, True), output
    code, output = await verify(tmp_path / "export", archive.file, tmp_path)
    assert (code, "are missing" in output) == (1, True), output

    known = {"known_id": noted["last_id"], "known_hash": noted["last_hash"]}
    assert (await read(admin, "/audit-logs/verify", **known))["ok"]
    lines = gzip.decompress(archive.file.read_bytes()).decode().splitlines()
    hashes = [json.loads(line)["hash"] for line in lines]
    assert (await read(admin, "/audit-logs/verify", known_id=FORMER, known_hash=hashes[-1]))["ok"]
    assert not (await read(admin, "/audit-logs/verify", known_id=FORMER, known_hash=hashes[0]))["ok"]
    for path, query in (("verify", {"known_id": 1, "known_hash": hashes[0]}), ("export", {"after": 1})):
        assert (await read(admin, f"/audit-logs/{path}", 409, **query))["code"] == "cursor_archived"


async def verify(first: Path, second: Path, folder: Path) -> tuple[int | None, str]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "stockbuddy.notifications", "audit", "verify", str(first), str(second)),
        *("--checkpoints", str(folder / "checkpoints"), "--keys", str(folder / "keys")),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    async with asyncio.timeout(DEADLINE_SECONDS):
        output, _ = await process.communicate()
    return process.returncode, output.decode()


@pytest.mark.usefixtures("history")
async def test_only_old_periods_are_archived(admin: AsyncClient, archive: Archive) -> None:
    code, output = await archive.run("--older-than", "89")
    assert (code, "at least 90" in output) == (2, True)
    assert await archive.run("--older-than", "36500") == (0, "No former period of the event log is that old.\n")
    assert await is_unchanged(admin)


@pytest.mark.usefixtures("history")
async def test_altered_entry_stays_in_the_log(admin: AsyncClient, archive: Archive, owner: asyncpg.Connection) -> None:
    await owner.execute("SET session_replication_role = replica")
    await owner.execute("UPDATE event_log SET actor = 'mallory' WHERE position = 7")
    code, output = await archive.run()
    assert (code, "Entry 7 is missing or was altered" in output) == (1, True), output
    assert (await read(admin, "/audit-logs/verify"))["first_bad_id"] == 7
    assert (await read(admin, "/audit-logs"))["total"] == LENGTH


@pytest.mark.usefixtures("history")
async def test_events_that_a_webhook_still_waits_for_stay_in_the_log(admin: AsyncClient, archive: Archive) -> None:
    webhook = await admin.post("/webhooks", json={"url": "http://127.0.0.1:9/", "event_types": ["*"]})
    path = f"/webhooks/{webhook.json()['id']}"
    requested = await admin.post(f"{path}/resend", json={"since": OLD})
    assert requested.status_code == 202, requested.text
    code, output = await archive.run()
    assert (code, "webhooks have pending deliveries" in output) == (1, True), output
    assert (await read(admin, "/audit-logs/verify"))["archived_entries"] == 0
    assert (await admin.delete(path)).status_code == 204
    code, output = await archive.run()
    assert code == 0, output


@pytest.mark.usefixtures("history")
async def test_entries_that_an_erasure_may_change_stay_in_the_log(
    admin: AsyncClient, archive: Archive, owner: asyncpg.Connection
) -> None:
    await owner.execute("UPDATE redaction_bound SET position = 1")  # as after an upgrade
    code, output = await archive.run()
    assert (code, "an erasure may still change entries" in output) == (1, True), output
    assert await is_unchanged(admin)


async def start_until_written(archive: Archive, until: Any) -> asyncio.subprocess.Process:
    """The command, which waits for the lock of a period whose file is complete."""
    process = await archive.start("--older-than", "365")

    async def is_written() -> bool:
        return archive.file.exists()

    await until(is_written)
    return process


@pytest.mark.usefixtures("history")
async def test_command_that_is_killed_has_changed_nothing_and_is_repeated(
    admin: AsyncClient, archive: Archive, owner: asyncpg.Connection, until: Any
) -> None:
    async with owner.transaction():
        await owner.execute(READ_LOCK)
        process = await start_until_written(archive, until)
        process.send_signal(signal.SIGKILL)
        await process.wait()
    assert await is_unchanged(admin)
    archive.file.write_bytes(b"unfinished")
    assert (await archive.run())[0] == 0
    verdict = await read(admin, "/audit-logs/verify")
    assert (verdict["ok"], verdict["archived_entries"]) == (True, FORMER)


@pytest.mark.usefixtures("history")
async def test_report_that_reads_the_period_ends_first(archive: Archive, owner: asyncpg.Connection, until: Any) -> None:
    async with owner.transaction():
        await owner.execute(READ_LOCK)
        process = await start_until_written(archive, until)
        assert await owner.fetchval("SELECT count(*) FROM event_log") == LENGTH
    async with asyncio.timeout(DEADLINE_SECONDS):
        output, _ = await process.communicate()
    assert process.returncode == 0, output
