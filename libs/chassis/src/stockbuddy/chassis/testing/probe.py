"""The smallest service there is, to try the chassis with: it publishes `ProbeChanged` and records what it receives."""

from typing import ClassVar

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.chassis.postgres.database import Database
from stockbuddy.contracts.event import Event

EFFECTS_GROUP = "probe.effects.v1"
EVERYTHING_GROUP = "probe.everything.v1"
GROUPS = {EFFECTS_GROUP: ("probe.thing.*",), EVERYTHING_GROUP: ("#",)}


class ProbeChanged(Event):
    type: ClassVar[str] = "probe.thing.changed"
    subject_template: ClassVar[str] = "thing/{thing}"

    thing: int
    number: int


async def note(session: AsyncSession, event: ProbeChanged) -> None:
    """Record the event; tests count these rows."""
    await session.execute(
        text("INSERT INTO effect (subject, number) VALUES (:subject, :number)"),
        {"subject": event.subject(), "number": event.number},
    )


async def effects(database: Database) -> list[tuple[str, int]]:
    """The recorded effects in order."""
    async with database.reading() as session:
        rows = await session.execute(text("SELECT subject, number FROM effect ORDER BY id"))
        return [(row.subject, row.number) for row in rows]
