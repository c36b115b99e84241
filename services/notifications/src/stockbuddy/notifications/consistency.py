"""Reads of the event log that see a write: `X-Consistency` of the write's response names the events to wait for
(docs/adr/0017)."""

import asyncio
from collections.abc import Sequence
from typing import Annotated
from uuid import UUID

from fastapi import Depends, Header

from stockbuddy.chassis.http.authentication import Caller
from stockbuddy.chassis.http.consistency import CONSISTENCY_HEADER, event_ids_in
from stockbuddy.chassis.http.errors import Unprocessable, raises
from stockbuddy.chassis.postgres.database import Database
from stockbuddy.notifications.dependencies import Services
from stockbuddy.notifications.errors import WriteNotVisible
from stockbuddy.notifications.event_log import queries

DELAYS_SECONDS = (0, 0.01, 0.02, 0.04, 0.08, 0.15, 0.3, 0.5, 0.9)
"""Before each look-up, two seconds in all. An event is usually logged within milliseconds; a token of events that never
existed costs few look-ups."""
MAX_EVENTS = 64
"""Tokens of several writes may be joined with commas; each names up to four events, and a position."""

ConsistencyToken = Annotated[
    str,
    Header(
        alias=CONSISTENCY_HEADER,
        max_length=40 * MAX_EVENTS,
        description="The header of this name of a response to a write: the log is read once it contains that write.",
    ),
]


@raises(WriteNotVisible)
async def _wait_for_write(_: Caller, services: Services, token: ConsistencyToken = "") -> None:
    """Raises Unprocessable for a malformed token, and WriteNotVisible."""
    if event_ids := _parse_token(token):
        await wait_until_logged(services.database, event_ids)


CONSISTENT = Depends(_wait_for_write)
"""Dependency of routes that read the event log."""


async def wait_until_logged(database: Database, event_ids: Sequence[UUID]) -> None:
    """Raises WriteNotVisible if an event is still missing after the last look-up."""
    for delay_seconds in DELAYS_SECONDS:
        await asyncio.sleep(delay_seconds)
        async with database.reading() as session:
            if await queries.contains_all(session, event_ids):
                return
    raise WriteNotVisible()


def _parse_token(token: str) -> list[UUID]:
    try:
        return [UUID(part) for part in event_ids_in(token)]
    except ValueError:
        raise Unprocessable.field(CONSISTENCY_HEADER, "is not the header of a response to a write") from None
