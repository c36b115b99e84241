"""What an operator does about messages that were given up, through the command line that every service has."""

import asyncio
import json
import sys

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.chassis.messaging import outbox
from stockbuddy.chassis.messaging.bus.inprocess import InProcessBus
from stockbuddy.chassis.postgres.database import Database
from stockbuddy.chassis.messaging.inbox import Inbox
from stockbuddy.chassis.messaging.handlers import Consumer, PermanentFailure, each
from stockbuddy.chassis.messaging.relay import Relay
from stockbuddy.chassis.testing.probe import EFFECTS_GROUP, GROUPS, ProbeChanged, effects, note

DEADLINE_SECONDS = 20
COMMAND = """
import sys
from pathlib import Path
from stockbuddy.chassis.http.command_line import main
from stockbuddy.chassis.runtime.settings import ServiceSettings
from stockbuddy.chassis.http.app import Service
main(Service("probe", "Probe", []), ServiceSettings(env="development", database_url=sys.argv[1]), Path(), sys.argv[2:])
"""


async def refuse(session: AsyncSession, event: ProbeChanged) -> None:
    raise PermanentFailure("never")


async def command(database_url: str, *arguments: str) -> tuple[int, str, str]:
    """Exit code, output and complaints of `python -m stockbuddy.probe …`."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", COMMAND, database_url, *arguments,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    output, complaints = await process.communicate()
    assert process.returncode is not None
    return process.returncode, output.decode(), complaints.decode()


async def give_up(database: Database, *numbers: int) -> None:
    inbox = Inbox(database, Consumer(EFFECTS_GROUP, {ProbeChanged.type: each(ProbeChanged, refuse)}))
    bus = InProcessBus(groups={EFFECTS_GROUP: GROUPS[EFFECTS_GROUP]})
    await bus.subscribe(inbox.subscription())
    async with database.transaction() as session:
        outbox.add(session, *(ProbeChanged(thing=1, number=number) for number in numbers))
    relay = Relay(database, bus)
    relaying = asyncio.create_task(relay.run())
    await _until(database, "SELECT count(*) FROM inbox WHERE status = 'dead'", len(numbers))
    relay.stop()
    await relaying


async def _until(database: Database, statement: str, wanted: int) -> None:
    """Poll a count until it is `wanted`."""
    async with asyncio.timeout(DEADLINE_SECONDS):
        while True:
            async with database.reading() as session:
                if await session.scalar(text(statement)) == wanted:
                    return
            await asyncio.sleep(0.02)


async def test_messages_that_were_given_up_are_listed_and_tried_again_when_an_operator_says_so(
    database: Database, database_url: str
) -> None:
    await give_up(database, 1, 2, 3)
    code, output, complaints = await command(database_url, "dead")
    listed = [json.loads(line) for line in output.splitlines()]
    assert code == 0, complaints
    assert [(row["group"], row["type"]) for row in listed] == [(EFFECTS_GROUP, ProbeChanged.type)] * 3
    assert all("never" in row["error"] for row in listed)

    assert await command(database_url, "dead", "retry", listed[0]["event_id"]) == (0, "1 will be tried again now\n", "")
    assert await command(database_url, "dead", "retry") == (0, "2 will be tried again now\n", "")
    mended = Inbox(database, Consumer(EFFECTS_GROUP, {ProbeChanged.type: each(ProbeChanged, note)}))
    retrying = asyncio.create_task(mended.run_retries())
    await _until(database, "SELECT count(*) FROM effect", 3)
    retrying.cancel()
    await asyncio.gather(retrying, return_exceptions=True)
    assert sorted(await effects(database)) == [("thing/1", number) for number in (1, 2, 3)]
    assert await command(database_url, "dead") == (0, "", "")


@pytest.mark.parametrize("arguments", [("bury",), ("dead", "bury")])
async def test_a_command_that_there_is_not_is_refused_with_those_that_there_are(
    database_url: str, arguments: tuple[str, ...]
) -> None:
    code, _, complaints = await command(database_url, *arguments)
    assert code == 1
    assert "dead [retry" in complaints
