"""Cursors of a log that was restored from a backup."""

import os
import subprocess
import sys
from typing import Any

import asyncpg
import pytest
from httpx2 import AsyncClient

BEYOND = ["2", "999999999999", "1000000000001", "999999999999999999"]


async def execute(database_url: str, statement: str) -> None:
    connection = await asyncpg.connect(database_url, server_settings={"search_path": "notifications"})
    await connection.execute(statement)
    await connection.close()


@pytest.mark.parametrize("cursor", BEYOND)
async def test_cursor_beyond_the_head_is_rejected_with_the_head(
    admin: AsyncClient, service: Any, samples: Any, cursor: str
) -> None:
    await service.publish(samples.movement())
    response = await admin.get("/events", params={"after": cursor})
    assert (response.status_code, response.json()["code"]) == (409, "cursor_ahead")
    head = response.json()["head"]
    assert (await admin.get("/events", params={"after": head})).json() == {"items": [], "next_cursor": head}


async def test_restored_log_rejects_cursors_from_before(
    start: Any, samples: Any, admin: AsyncClient, service: Any, database_url: str
) -> None:
    """A dump restored elsewhere is recognised by its storage; the log may have grown past the cursor since."""
    await service.publish(samples.movement(1), samples.movement(2))
    before = (await admin.get("/events")).json()["next_cursor"]
    await execute(database_url, "UPDATE event_log_epoch SET storage_id = 'elsewhere'")
    await (await start()).publish(samples.movement(3))
    rejected = await admin.get("/events", params={"after": before})
    assert (rejected.status_code, rejected.json()["code"]) == (409, "cursor_ahead")
    everything = (await admin.get("/events", params={"after": "0"})).json()
    assert len(everything["items"]) == 3
    assert everything["next_cursor"] == rejected.json()["head"]
    assert int(everything["next_cursor"]) < 2**53
    await start()
    assert (await admin.get("/events")).json()["next_cursor"] == everything["next_cursor"]


async def test_command_begins_a_new_epoch(admin: AsyncClient, service: Any, samples: Any, database_url: str) -> None:
    await service.publish(samples.movement())
    before = (await admin.get("/events")).json()["next_cursor"]
    completed = subprocess.run(
        [sys.executable, "-m", "stockbuddy.notifications", "events", "new-epoch"],
        env={**os.environ, "ENV": "development", "DATABASE_URL": database_url},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert "epoch" in completed.stdout
    mistaken = subprocess.run(
        [sys.executable, "-m", "stockbuddy.notifications", "events"],
        env={**os.environ, "ENV": "development", "DATABASE_URL": database_url},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert (mistaken.returncode, mistaken.stderr.count("\n")) == (1, 1)
    assert "events new-epoch" in mistaken.stderr
    assert (await admin.get("/events", params={"after": before})).status_code == 409
