"""Erases persons: deletes their values from beside the log, in the transaction that logs the event of the erasure."""

import re

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.chassis.messaging.erasure import erase_phrases_from_messaging, persons_of
from stockbuddy.chassis.messaging.message import Message
from stockbuddy.contracts.auth import UserErased
from stockbuddy.contracts.personal_data import ADDRESSES
from stockbuddy.contracts.stock import CustomerErased

ERASURES = (CustomerErased.type, UserErased.type)

# Waits until concurrent appends have stored their values, and lets none store further ones until the persons are known
# as erased.
_LOCK = text("LOCK TABLE personal_value IN SHARE ROW EXCLUSIVE MODE")
_MARK_ERASED = text("""
    INSERT INTO erased_person (person) SELECT unnest(CAST(:persons AS text[])) ON CONFLICT DO NOTHING
""")
# Entries of earlier releases contain the values themselves.
_REQUEST_REDACTION = text("""
    INSERT INTO redaction_request (person, next_position, last_position)
    SELECT person, 1, least(b.position, h.position)
    FROM unnest(CAST(:persons AS text[])) AS p(person), redaction_bound b, event_log_head h
    WHERE b.position > 0 ON CONFLICT (person) DO UPDATE SET next_position = 1
""")
_DELETE_VALUES = text("DELETE FROM personal_value WHERE person = ANY(:persons) RETURNING value")
# Texts of notifications and reasons of failed e-mails belong to no person, but may name one.
_DELETE_TEXTS = text(f"""
    DELETE FROM personal_value v USING unnest(CAST(:distinctive AS text[])) AS wanted(value)
    WHERE (v.person = '{ADDRESSES}' OR v.person >= 'notification/' AND v.person < 'notification0')
      AND strpos(lower(v.value), lower(wanted.value)) > 0
""")
_DELETE_NOTIFICATIONS = text("""
    DELETE FROM notification n USING unnest(CAST(:distinctive AS text[])) AS wanted(value)
    WHERE strpos(lower(n.title || ' ' || n.body), lower(wanted.value)) > 0
""")
_DELETE_EMAILS = text("""
    DELETE FROM queued_email e USING unnest(CAST(:distinctive AS text[])) AS wanted(value)
    WHERE strpos(lower(concat_ws(' ', e.recipient, e.last_error, CAST(e.content AS text))), lower(wanted.value)) > 0
""")
_FORGET_ANSWERS = text("""
    UPDATE webhook_delivery d
    SET log = ARRAY(SELECT json_build_object('at', l ->> 'at', 'duration_ms', l -> 'duration_ms', 'status_code',
                        l -> 'status_code', 'answer', NULL, 'error', l ->> 'error')
                    FROM unnest(d.log) WITH ORDINALITY AS logged(l, place) ORDER BY place)
    WHERE EXISTS (SELECT FROM unnest(d.log) AS l, unnest(CAST(:values AS text[])) AS wanted(value)
                  WHERE strpos(lower(l ->> 'answer'), lower(wanted.value)) > 0)
""")
_OWN_ROWS = tuple(
    map(
        text,
        (
            "DELETE FROM notification WHERE audience = ANY(:persons)",
            "DELETE FROM notification_read WHERE 'user/' || user_id = ANY(:persons)",
            "DELETE FROM preference WHERE 'user/' || user_id = ANY(:persons)",
        ),
    )
)
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
    await session.execute(_LOCK)
    await session.execute(_MARK_ERASED, {"persons": persons})
    values = list(await session.scalars(_DELETE_VALUES, {"persons": persons}))
    await session.execute(_REQUEST_REDACTION, {"persons": persons})
    distinctive = [phrase for value in values for phrase in _searchable_phrases(value)]
    for statement in (_DELETE_TEXTS, _DELETE_NOTIFICATIONS, _DELETE_EMAILS):
        await session.execute(statement, {"distinctive": distinctive})
    await erase_phrases_from_messaging(session, distinctive)
    long_values = [value for value in values if len(value) >= MIN_SEARCHED_LENGTH]
    await session.execute(_FORGET_ANSWERS, {"values": long_values})
    for statement in _OWN_ROWS:
        await session.execute(statement, {"persons": persons})


def _searchable_phrases(value: str) -> list[str]:
    """What a text of this system that names the person contains, if the value is an address or a username; see
    `alerts.texts`."""
    if _ADDRESS.fullmatch(value):
        return [value]
    return [] if " " in value or len(value) > MAX_NAME_LENGTH else [f" by {value} (", f" by {value}:"]
