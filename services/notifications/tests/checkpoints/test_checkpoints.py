"""Checkpoints reveal a log that was rewritten together with its hashes; exports are verified without the server."""

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import asyncpg
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from httpx2 import AsyncClient
from structlog.testing import capture_logs

from stockbuddy.chassis.encryption import SecretBox
from stockbuddy.chassis.messaging.outbox import open_database
from stockbuddy.notifications.app import NotificationsSettings
from stockbuddy.notifications.checkpoints.commands import sign_checkpoint
from stockbuddy.notifications.checkpoints.queries import Checkpoint

LENGTH = 600  # more than one batch of an export
NEVER = timedelta(days=3650)


@pytest.fixture
async def history(service: Any, samples: Any) -> None:
    await service.publish(*(samples.movement(number, notes='naïve "☕"\u2028') for number in range(LENGTH - 1)))
    await service.publish(samples.user(9, full_name="Zenobia Quill"))


@pytest.fixture
async def intruder(database_url: str) -> AsyncIterator[asyncpg.Connection]:
    """A connection of the superuser with triggers disabled."""
    connection = await asyncpg.connect(database_url, server_settings={"search_path": "notifications"})
    await connection.execute("SET session_replication_role = replica")
    yield connection
    await connection.close()


async def sign(settings: NotificationsSettings, max_key_age: timedelta = NEVER) -> Checkpoint | None:
    database = open_database(settings.database_url, "notifications")
    async with database.transaction() as session:
        box = SecretBox(settings.secret_key, "notifications")
        signed = await sign_checkpoint(session, box, max_key_age=max_key_age)
    await database.close()
    return signed


async def rewrite(intruder: asyncpg.Connection, position: int) -> None:
    """Alter an entry and recompute every later hash and the head, as an attacker who can write to all tables."""
    previous = await intruder.fetchval("SELECT hash FROM event_log WHERE position = $1", position - 1)
    await intruder.execute("UPDATE event_log SET actor_id = 666 WHERE position = $1", position)
    rows = await intruder.fetch(
        """SELECT position, CAST(event_id AS text), type, subject, at, actor_id, actor, client_ip, request_id, audited,
                  CAST(attributes AS text), CAST(data AS text) FROM event_log WHERE position >= $1 ORDER BY position""",
        position,
    )
    for row in rows:
        values = [value.isoformat(timespec="microseconds") if name == "at" else value for name, value in row.items()]
        canonical = json.dumps(values, ensure_ascii=False, separators=(",", ":")).encode()
        previous = hashlib.sha256(previous + canonical).digest()
        await intruder.execute("UPDATE event_log SET hash = $1 WHERE position = $2", previous, row["position"])
    await intruder.execute("UPDATE event_log_head SET hash = $1", previous)


class Files:
    """What an auditor keeps, and the command that compares it with an export."""

    def __init__(self, folder: Path, admin: AsyncClient) -> None:
        self._folder = folder
        self._admin = admin

    async def keep(self) -> None:
        for name, path in (("checkpoints", "/audit-logs/checkpoints"), ("keys", "/audit-logs/checkpoint-keys")):
            response = await self._admin.get(path)
            assert response.status_code == 200, response.text
            self.write(name, response.text)

    def write(self, name: str, text: str) -> None:
        (self._folder / name).write_text(text)

    def read(self, name: str) -> str:
        return (self._folder / name).read_text()

    async def export(self, **query: Any) -> None:
        response = await self._admin.get("/audit-logs/export", params={"format": "chain", **query})
        assert response.status_code == 200, response.text
        self.write("export", response.text)

    def verify(self) -> tuple[int, str]:
        """Exit code and output of the command, which has no settings."""
        paths = [str(self._folder / name) for name in ("export", "checkpoints", "keys")]
        command = [sys.executable, "-m", "stockbuddy.notifications", "audit", "verify", paths[0]]
        command += ["--checkpoints", paths[1], "--keys", paths[2]]
        environment = {"PATH": os.environ["PATH"], "ENV": "production"}
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120, env=environment)
        return done.returncode, done.stdout + done.stderr


@pytest.fixture
def files(tmp_path: Path, admin: AsyncClient) -> Files:
    return Files(tmp_path, admin)


@pytest.mark.usefixtures("history")
async def test_kept_checkpoint_confirms_the_export_and_reveals_a_complete_rewrite(
    settings: NotificationsSettings, admin: AsyncClient, files: Files, intruder: asyncpg.Connection, until: Any
) -> None:
    signed = await sign(settings)
    assert signed is not None
    assert signed.position == LENGTH

    async def is_published() -> bool:
        return bool((await admin.get("/audit-logs/verify")).json()["last_id"] == LENGTH + 1)

    await until(is_published)
    await files.keep()
    await files.export()
    assert "Zenobia" not in files.read("export")
    code, output = files.verify()
    assert (code, f"confirmed up to entry {LENGTH}" in output) == (0, True), output
    await rewrite(intruder, 300)
    verdict = (await admin.get("/audit-logs/verify")).json()
    assert verdict["ok"], f"the rewritten chain is consistent in itself: {verdict}"
    await files.export()
    code, output = files.verify()
    assert code == 1
    assert f"the log was rewritten: entry {LENGTH} has another hash" in output


@pytest.mark.usefixtures("history")
async def test_missing_and_altered_entries_and_foreign_signatures_are_reported(
    settings: NotificationsSettings, files: Files
) -> None:
    await sign(settings)
    await files.keep()
    await files.export()
    lines = files.read("export").split("\n")[:-1]
    assert len(lines) == LENGTH
    for broken, message in (
        (lines[:-1], f"the export ends at entry {LENGTH - 1}"),
        ([*lines[:99], *lines[100:]], "entries 100 to 100 are missing"),
        ([*lines[:99], lines[99].replace('"alice"', '"bob"').replace('"quantity', '"amount'), *lines[100:]], "100 was"),
    ):
        files.write("export", "\n".join(broken))
        code, output = files.verify()
        assert (code, message in output) == (1, True), output
    files.write("export", "\n".join(lines[400:]))
    assert files.verify()[0] == 0, "a checkpoint confirms a part of the log, too"
    files.write("export", "\n".join(lines))
    kept = json.loads(files.read("checkpoints"))["items"][0]
    claims = jwt.decode(kept["jws"], options={"verify_signature": False})
    headers = jwt.get_unverified_header(kept["jws"])
    for key_id in (kept["kid"], "another"):
        forged = jwt.encode(claims, Ed25519PrivateKey.generate(), "EdDSA", headers={**headers, "kid": key_id})
        files.write("checkpoints", forged)
        code, output = files.verify()
        assert (code, "checkpoint 1 is not valid" in output) == (1, True), output
    files.write("checkpoints", json.dumps({"data": kept}) + "\n" + kept["jws"])
    assert files.verify()[0] == 0, "events and plain signatures are accepted as well"


async def test_checkpoints_of_earlier_keys_stay_valid(
    settings: NotificationsSettings, service: Any, samples: Any, admin: AsyncClient, client: AsyncClient, files: Files
) -> None:
    assert await sign(settings) is None, "an empty log has no head"
    await service.publish(samples.movement(1))
    first = await sign(settings)
    await service.publish(samples.movement(2))
    second = await sign(settings, max_key_age=timedelta(0))
    assert first is not None
    assert second is not None
    assert first.kid != second.kid
    public = (await client.get("/audit-logs/checkpoint-keys")).json()["keys"]
    assert [key["kid"] for key in public] == [second.kid, first.kid]
    assert all("d" not in key for key in public)
    listed = (await admin.get("/audit-logs/checkpoints")).json()
    assert [item["id"] for item in listed["items"]] == [second.id, first.id]
    await files.keep()
    await files.export()
    code, output = files.verify()
    assert (code, "2 checkpoints agree" in output) == (0, True), output


class TestWorker:
    @pytest.fixture
    def options(self) -> dict[str, Any]:
        return {"checkpoint_seconds": 0.2, "checkpoint_emails": "audit@example.com", "smtp_url": None}

    async def test_checkpoints_are_logged_published_and_sent(
        self, service: Any, samples: Any, admin: AsyncClient, until: Any, intruder: asyncpg.Connection
    ) -> None:
        """And an idle log is not signed again and again because of the checkpoints' own events."""

        async def signed() -> Any:
            page = (await admin.get("/events", params={"types": "notifications.checkpoint.*"})).json()
            return page["items"]

        with capture_logs() as logged:
            await service.publish(samples.movement(1))
            [event] = await until(signed)
        [checkpoint] = (await admin.get("/audit-logs/checkpoints")).json()["items"]
        assert event["data"]["jws"] == checkpoint["jws"]
        assert checkpoint["jws"] in [line.get("jws") for line in logged if line["event"] == "audit.checkpoint"]
        content = json.loads(await intruder.fetchval("SELECT content FROM queued_email"))
        assert checkpoint["jws"] in content["body"]
        await service.publish(samples.movement(2))

        async def signed_again() -> bool:
            page = (await admin.get("/audit-logs/checkpoints")).json()
            return bool(page["total"] == 2)

        await until(signed_again)
        assert (await admin.get("/audit-logs/verify")).json()["ok"]


@pytest.mark.usefixtures("history")
async def test_exports_for_a_siem_continue_at_a_cursor(admin: AsyncClient, service: Any, samples: Any) -> None:
    everything = (await admin.get("/audit-logs/export")).text.split("\n")[:-1]
    entries = [json.loads(line) for line in everything]
    assert [entry["id"] for entry in entries] == list(range(1, LENGTH + 1))
    assert entries[-1]["data"]["full_name"] == "Zenobia Quill"
    part = (await admin.get("/audit-logs/export", params={"after": 10, "limit": 5})).text.split("\n")[:-1]
    assert [json.loads(line)["id"] for line in part] == [11, 12, 13, 14, 15]
    await service.publish(samples.movement(9999, notes="a=b|c\\d\ne"))
    cef = (await admin.get("/audit-logs/export", params={"format": "cef", "after": LENGTH})).text
    [line] = cef.split("\n")[:-1]
    header, _, extension = line.partition(" ")
    assert header.startswith("CEF:0|Stockbuddy|Stockbuddy|1|stock.movement.posted|stock.movement.posted|3|rt=")
    assert f"externalId={LENGTH + 1} src=203.0.113.9 suid=7 suser=alice cs1Label=subject cs1=product/9999" in extension
    assert r"a\=b|c" in extension
    assert (await admin.get("/audit-logs/export", params={"after": LENGTH + 1})).text == ""


async def test_checkpoints_and_exports_are_for_admins(client: AsyncClient, service: Any, issuer: Any) -> None:
    for path in ("/audit-logs/checkpoints", "/audit-logs/export"):
        assert (await client.get(path)).status_code == 401
        async with service.client(**issuer.headers(2, "manager")) as manager:
            assert (await manager.get(path)).status_code == 403
