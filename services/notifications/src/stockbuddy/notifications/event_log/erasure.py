"""Erases persons: deletes their values from beside the log, in the transaction that logs the event of the erasure."""

import re

from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.chassis.messaging.erasure import erase_phrases_from_messaging, persons_of
from stockbuddy.chassis.messaging.message import Message
from stockbuddy.contracts.auth import UserErased
from stockbuddy.contracts.stock import CustomerErased
from stockbuddy.notifications.event_log import erasure_queries as queries

ERASURES = (CustomerErased.type, UserErased.type)

_ADDRESS = re.compile(r"[^\s@]+@[^\s@]+")
MAX_NAME_LENGTH = 64
MIN_SEARCHED_LENGTH = 4
"""Shorter values occur in texts that have nothing to do with the person."""


def is_erasure(message: Message) -> bool:
    return message.type in ERASURES


async def erase_persons_of(session: AsyncSession, message: Message) -> None:
    """Everything that this service stores about the persons of the event, except their replica, which the event itself
    replaces."""
    persons = persons_of(message)
    await session.execute(queries.LOCK)
    await session.execute(queries.MARK_ERASED, {"persons": persons})
    values = list(await session.scalars(queries.DELETE_VALUES, {"persons": persons}))
    await session.execute(queries.REQUEST_REDACTION, {"persons": persons})
    distinctive = [phrase for value in values for phrase in _searchable_phrases(value)]
    for statement in (queries.DELETE_TEXTS, queries.DELETE_NOTIFICATIONS, queries.DELETE_EMAILS):
        await session.execute(statement, {"distinctive": distinctive})
    await erase_phrases_from_messaging(session, distinctive)
    long_values = [value for value in values if len(value) >= MIN_SEARCHED_LENGTH]
    await session.execute(queries.FORGET_ANSWERS, {"values": long_values})
    for statement in queries.OWN_ROWS:
        await session.execute(statement, {"persons": persons})


def _searchable_phrases(value: str) -> list[str]:
    """What a text of this system that names the person contains, if the value is an address or a username; see
    `alerts.texts`."""
    if _ADDRESS.fullmatch(value):
        return [value]
    return [] if " " in value or len(value) > MAX_NAME_LENGTH else [f" by {value} (", f" by {value}:"]
