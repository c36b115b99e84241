"""Removes the values of erased persons from entries of earlier releases, which contain them (ADR 29).

A redacted entry keeps its hash, which no longer follows from its content. Instead the log records the redactions: the
event `notifications.entries.redacted` has a digest over their rows in `redaction`, and the chain covers that event.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import structlog
from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.chassis.messaging import outbox
from stockbuddy.chassis.messaging.chunks import to_message
from stockbuddy.chassis.messaging.erased_texts import Erasure, erase_from_parts
from stockbuddy.chassis.postgres.database import Database
from stockbuddy.chassis.runtime.background import PollingWorker
from stockbuddy.chassis.runtime.event_context import EventContext
from stockbuddy.contracts.notifications import EntriesRedacted
from stockbuddy.contracts.personal_data import ERASED
from stockbuddy.notifications.event_log import redaction_queries as queries
from stockbuddy.notifications.event_log import word_queries
from stockbuddy.notifications.event_log.append import append_messages
from stockbuddy.notifications.event_log.chain import LogEntry, to_canonical_form

log = structlog.get_logger(__name__)

POSITIONS_PER_BATCH = 5000
POLL_INTERVAL_SECONDS = 5.0


def redaction_worker(database: Database) -> PollingWorker:
    async def run() -> bool:
        async with database.transaction() as session:
            return await redact_next_batch(session)

    async def is_due() -> bool:
        return await database.exists(queries.PENDING)

    return PollingWorker("notifications.redaction", run, interval_seconds=POLL_INTERVAL_SECONDS, is_due=is_due)


async def redact_next_batch(session: AsyncSession) -> bool:
    """Search the next entries for values of an erased person. Returns whether there may be more to do."""
    request = (await session.execute(queries.NEXT_REQUEST)).one_or_none()
    if request is None:
        return False
    await session.execute(queries.LOCK_HEAD)
    await session.execute(word_queries.LOCK)
    last = min(request.next_position + POSITIONS_PER_BATCH - 1, request.last_position)
    erasure = Erasure.of_person(request.person)
    bounds = {"first": request.next_position, "last": last}
    values = bounds | {"actor_id": erasure.actor_id, "mentions": erasure.mentions}
    rows = (await session.execute(queries.CANDIDATES, values)).all()
    redacted = [(row, entry) for row in rows if (entry := _redact(row, erasure)) is not None]
    if redacted:
        await _store(session, request.person, redacted)
    if last >= request.last_position:
        await session.execute(queries.FINISH, {"person": request.person})
    else:
        await session.execute(queries.ADVANCE, {"person": request.person, "position": last + 1})
    return True


def _redact(row: Row[Any], erasure: Erasure) -> LogEntry | None:
    """The entry without the values of the person; None if it has none."""
    entry = LogEntry(*(getattr(row, name) for name in LogEntry.__slots__))
    headers, data = erase_from_parts(entry.type, json.loads(entry.attributes), entry.data, erasure)
    actor, subject = entry.actor, entry.subject
    if actor is not None and erasure.actor_id is not None and str(entry.actor_id) == erasure.actor_id:
        actor = ERASED
    if data != entry.data and subject is not None and subject.startswith(("login/", "email/")):
        # The subjects of earlier releases named the user.
        subject = f"{subject.partition('/')[0]}/{ERASED}"
        headers = {**headers, "subject": subject, "partitionkey": subject}
    attributes = json.dumps(headers, ensure_ascii=False, separators=(",", ":"))
    if headers == json.loads(entry.attributes):
        attributes = entry.attributes
    redacted = replace(entry, subject=subject, actor=actor, attributes=attributes, data=data)
    return redacted if redacted != entry and not _is_placeholder(entry, redacted) else None


def _is_placeholder(entry: LogEntry, redacted: LogEntry) -> bool:
    """True if only placeholders would be replaced: the entry is of this release."""
    return entry.actor != redacted.actor and (entry.actor or "").startswith("erasable")


async def _store(session: AsyncSession, person: str, redacted: Sequence[tuple[Row[Any], LogEntry]]) -> None:
    """Change the entries, and record in the log what the chain no longer proves about them."""
    rows = [
        {"position": e.position, "previous_hash": r.previous_hash, "digest": digest_entry(e), "hash": r.hash}
        for r, e in redacted
    ]
    total = hashlib.sha256()
    for row in rows:
        total.update(to_record(row["position"], row["previous_hash"], row["hash"], row["digest"]))
    event = EntriesRedacted(
        person=person,
        first=rows[0]["position"],
        last=rows[-1]["position"],
        entries=len(rows),
        digest=total.hexdigest(),
    )
    message = to_message(outbox.to_outbox_event(event, EventContext()).text)
    for (_, entry), row in zip(redacted, rows, strict=True):
        changed = {name: getattr(entry, name) for name in ("position", "subject", "actor", "attributes", "data")}
        await session.execute(queries.REDACT, changed)
        await session.execute(queries.RECORD, {**row, "event_id": message.id})
    await session.execute(word_queries.REFRESH, {"positions": [row["position"] for row in rows]})
    await append_messages(session, [message])
    log.info("event_log.redacted", person=person, entries=len(rows))


def digest_entry(entry: LogEntry) -> bytes:
    return hashlib.sha256(to_canonical_form(entry)).digest()


def to_record(position: int, previous_hash: bytes, entry_hash: bytes, digest: bytes) -> bytes:
    """What the event of a batch covers of each redaction."""
    return position.to_bytes(8, "big") + previous_hash + entry_hash + digest
