"""Erases personal data from the chassis' tables of a service: its outbox with the archive, messages that wait in its
inbox, and stored responses.

Each service has a consumer group for the events of erasures (`erasure_consumer`). Erasing twice changes nothing.
"""

import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.chassis.messaging.chunks import batch_text, events_of
from stockbuddy.chassis.messaging.erased_texts import (
    Erasure,
    erase_from_event,
    erase_from_parts,
    erase_from_response,
    locations_of,
)
from stockbuddy.chassis.messaging.handlers import Consumer, Handler, decode
from stockbuddy.chassis.messaging.message import Message
from stockbuddy.contracts.auth import UserErased
from stockbuddy.contracts.personal_data import ERASED
from stockbuddy.contracts.stock import CustomerErased

CHUNKS_PER_STATEMENT = 2000
RESPONSES_PER_STATEMENT = 1000

_NEWEST_CHUNK = text("SELECT max(id) FROM outbox_chunk")
_CHUNKS = text("""
    SELECT id, body FROM outbox_chunk WHERE id > :after AND id <= :until AND body ~ :mentions
""")
_REPLACE_CHUNK = text("UPDATE outbox_chunk SET body = :body WHERE id = :id")
_DEAD_EVENTS = text("""
    SELECT event_id, routing_key, CAST(headers AS text) AS headers, CAST(payload AS text) AS payload FROM outbox_dead
    WHERE CAST(payload AS text) ~ :mentions OR CAST(headers AS text) ~ :mentions
""")
_REPLACE_DEAD_EVENT = text("""
    UPDATE outbox_dead SET headers = CAST(:headers AS json), payload = CAST(:payload AS json) WHERE event_id = :event_id
""")
_WAITING = text("SELECT consumer, event_id, message FROM inbox WHERE status <> 'done' AND message IS NOT NULL")
_REPLACE_WAITING = text("""
    UPDATE inbox SET message = :message, last_error = :erased WHERE consumer = :consumer AND event_id = :event_id
""")
_DELETE_RESPONSES = text("DELETE FROM idempotency_key WHERE caller = ANY(:callers)")
_RESPONSES = text("""
    SELECT caller, key, body, headers ->> 'Location' AS location FROM idempotency_key
    WHERE (caller, key) > (:caller, :key) AND body IS NOT NULL
        AND (body ~ :mentions OR headers ->> 'Location' = ANY(:locations))
    ORDER BY caller, key LIMIT :limit
""")
_REPLACE_RESPONSE = text("UPDATE idempotency_key SET body = :body WHERE caller = :caller AND key = :key")

EraseMore = Callable[[AsyncSession, Sequence[str]], Awaitable[None]]
"""Erases what the service itself stores about the persons."""


def persons_of(message: Message) -> list[str]:
    """The persons that the event of an erasure names."""
    if message.type == UserErased.type:
        user = decode(UserErased, message)
        return [user.subject(), *user.related]
    return [decode(CustomerErased, message).subject()]


def erasure_consumer(group: str, *erase_more: EraseMore) -> Consumer:
    async def erase(session: AsyncSession, messages: Sequence[Message]) -> None:
        persons = list(dict.fromkeys(person for message in messages for person in persons_of(message)))
        await erase_from_messaging(session, persons)
        for erase_part in erase_more:
            await erase_part(session, persons)

    handlers: Mapping[str, Handler] = {UserErased.type: erase, CustomerErased.type: erase}
    return Consumer(group, handlers, lanes=1)


async def erase_from_messaging(session: AsyncSession, persons: Sequence[str]) -> None:
    """Erase the persons from the chassis' tables in the session's schema."""
    for person in persons:
        await _erase_from_events(session, Erasure.of_person(person))
        await _erase_from_responses(session, person)
    await session.execute(_DELETE_RESPONSES, {"callers": [caller_of(person) for person in persons]})


async def erase_phrases_from_messaging(session: AsyncSession, phrases: Sequence[str]) -> None:
    """Erase texts that belong to no person and contain one of the phrases; see `Erasure.of_phrases`."""
    if phrases:
        await _erase_from_events(session, Erasure.of_phrases(phrases))


async def _erase_from_events(session: AsyncSession, erasure: Erasure) -> None:
    await _erase_from_outbox(session, erasure)
    await _erase_from_dead_events(session, erasure)
    await _erase_from_inbox(session, erasure)


def caller_of(person: str) -> str:
    """The credential of the stored responses: id of a user, or `key:4`; see `Principal.credential`."""
    kind, _, identifier = person.partition("/")
    return {"user": identifier, "api-key": f"key:{identifier}"}.get(kind, person)


async def _erase_from_outbox(session: AsyncSession, erasure: Erasure) -> None:
    """Sent and unsent events. The relay may publish what it has read before; consumers reject late values."""
    newest, after = await session.scalar(_NEWEST_CHUNK) or 0, 0
    while after < newest:
        bounds = {"after": after, "until": after + CHUNKS_PER_STATEMENT, "mentions": erasure.mentions}
        for row in (await session.execute(_CHUNKS, bounds)).all():
            erased = batch_text(erase_from_event(event, erasure) for event in events_of(row.body))
            if erased != row.body:
                await session.execute(_REPLACE_CHUNK, {"id": row.id, "body": erased})
        after += CHUNKS_PER_STATEMENT


async def _erase_from_dead_events(session: AsyncSession, erasure: Erasure) -> None:
    for row in (await session.execute(_DEAD_EVENTS, {"mentions": erasure.mentions})).all():
        headers, payload = erase_from_parts(row.routing_key, json.loads(row.headers), row.payload, erasure)
        values = {"event_id": row.event_id, "headers": json.dumps(headers), "payload": payload}
        await session.execute(_REPLACE_DEAD_EVENT, values)


async def _erase_from_inbox(session: AsyncSession, erasure: Erasure) -> None:
    for row in (await session.execute(_WAITING)).all():
        stored = json.loads(row.message)
        headers, body = erase_from_parts(stored["type"], stored["headers"], stored["body"], erasure)
        if (headers, body) != (stored["headers"], stored["body"]):
            message = json.dumps({**stored, "headers": headers, "body": body})
            values = {"consumer": row.consumer, "event_id": row.event_id, "message": message, "erased": ERASED}
            await session.execute(_REPLACE_WAITING, values)


async def _erase_from_responses(session: AsyncSession, person: str) -> None:
    """The responses stay, because their requests may be repeated, but without the values of the person."""
    locations = locations_of(person)
    values: dict[str, Any] = {"caller": "", "key": "", "limit": RESPONSES_PER_STATEMENT, "locations": locations}
    while rows := (await session.execute(_RESPONSES, values | {"mentions": Erasure.of_person(person).mentions})).all():
        for row in rows:
            erased = erase_from_response(row.body, person, is_person=row.location in locations)
            if erased != row.body:
                key = {"caller": row.caller, "key": row.key}
                await session.execute(_REPLACE_RESPONSE, key | {"body": erased})
        values |= {"caller": rows[-1].caller, "key": rows[-1].key}
