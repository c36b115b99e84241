"""Operator's handling of dead-lettered messages, through the command line of every service."""

import asyncio
import json
import sys

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.chassis.messaging import outbox
from stockbuddy.chassis.messaging.bus.inprocess import InProcessBus
from stockbuddy.chassis.messaging.handlers import Consumer, PermanentFailure, each
from stockbuddy.chassis.messaging.inbox import Inbox
from stockbuddy.chassis.messaging.relay import Relay
from stockbuddy.chassis.postgres.database import Database
from stockbuddy.chassis.testing.probe import EFFECTS_GROUP, GROUPS, ProbeChanged, effects, note

DEADLINE_SECONDS = 60
COMMAND = """
import sys
from pathlib import Path
from stockbuddy.chassis.http.command_line import main
from stockbuddy.chassis.runtime.settings import ServiceSettings
from stockbuddy.chassis.http.service_definition import Service
settings = ServiceSettings(env="development", database_url=sys.argv[1])
main(Service("probe", "Probe", []), [settings], Path(), sys.argv[2:])
"""


async def refuse(session: AsyncSession, event: ProbeChanged) -> None:
    raise PermanentFailure("never")


async def command(database_url: str, *arguments: str) -> tuple[int, str, str]:
    """Exit code, standard output and standard error of `python -m stockbuddy.probe …`."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", COMMAND, database_url, *arguments,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    output, errors = await process.communicate()
    assert process.returncode is not None
    return process.returncode, output.decode(), errors.decode()


async def dead_letter(database: Database, *numbers: int) -> None:
    inbox = Inbox(database, Consumer(EFFECTS_GROUP, {ProbeChanged.type: each(ProbeChanged, refuse)}))
    bus = InProcessBus(groups={EFFECTS_GROUP: GROUPS[EFFECTS_GROUP]})
    await bus.subscribe(inbox.subscription())
    async with database.transaction() as session:
        outbox.add(session, *(ProbeChanged(thing=1, number=number) for number in numbers))
    async with Relay(database, bus).worker(DEADLINE_SECONDS):
        await _until(database, "SELECT count(*) FROM inbox WHERE status = 'dead'", len(numbers))


async def _until(database: Database, statement: str, wanted: int) -> None:
    """Poll a count until it is `wanted`."""
    async with asyncio.timeout(DEADLINE_SECONDS):
        while True:
            async with database.reading() as session:
                if await session.scalar(text(statement)) == wanted:
                    return
            await asyncio.sleep(0.02)


async def test_dead_letters_are_listed_and_requeued_by_the_operator(database: Database, database_url: str) -> None:
    await dead_letter(database, 1, 2, 3)
    code, output, errors = await command(database_url, "dead-letters", "list")
    listed = [json.loads(line) for line in output.splitlines()]
    assert code == 0, errors
    assert [(row["group"], row["type"]) for row in listed] == [(EFFECTS_GROUP, ProbeChanged.type)] * 3
    assert all("never" in row["error"] for row in listed)

    retry = ("dead-letters", "retry")
    assert await command(database_url, *retry, listed[0]["event_id"]) == (0, "1 messages requeued\n", "")
    assert await command(database_url, *retry) == (0, "2 messages requeued\n", "")
    fixed = Inbox(database, Consumer(EFFECTS_GROUP, {ProbeChanged.type: each(ProbeChanged, note)}))
    async with fixed.retry_worker():
        await _until(database, "SELECT count(*) FROM effect", 3)
    assert sorted(await effects(database)) == [("thing/1", number) for number in (1, 2, 3)]
    assert await command(database_url, "dead-letters", "list") == (0, "", "")


@pytest.mark.parametrize("arguments", [("bury",), ("dead-letters",), ("dead-letters", "bury")])
async def test_unknown_command_is_rejected_with_the_usage(database_url: str, arguments: tuple[str, ...]) -> None:
    code, _, errors = await command(database_url, *arguments)
    assert code == 1
    assert "dead-letters list" in errors
