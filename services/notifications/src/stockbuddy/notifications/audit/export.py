"""Exports of the log, streamed in bounded memory: audited entries for a SIEM, or the whole chain for verification."""

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import asdict, replace
from datetime import UTC, datetime
from typing import Any

import asyncpg

from stockbuddy.chassis.postgres.database import Database
from stockbuddy.notifications.audit import queries
from stockbuddy.notifications.audit.cef import to_cef
from stockbuddy.notifications.audit.chain_links import ChainLink, Redaction
from stockbuddy.notifications.audit.queries import AuditRow
from stockbuddy.notifications.audit.schemas import ExportFormat, ExportQuery
from stockbuddy.notifications.event_log.chain import LogEntry
from stockbuddy.notifications.event_log.field_permissions import visible_data
from stockbuddy.notifications.event_log.patterns import matches_any

MEDIA_TYPES: Mapping[ExportFormat, str] = {
    "jsonl": "application/jsonl",
    "cef": "text/plain",
    "chain": "application/jsonl",
}
BATCH_SIZE = 500


async def export_entries(
    database: Database, query: ExportQuery, types: tuple[str, ...], permissions: frozenset[str]
) -> AsyncIterator[bytes]:
    """One line per entry after the position `after`, up to the head at the start, in batches. The caller sees
    the data of events of `types` only, with the fields that `permissions` allow."""
    if query.format == "chain":
        batches = _chain_batches(database, query.after, query.limit)
    else:
        batches = _audited_batches(database, query, types, permissions)
    async for lines in batches:
        yield "".join(f"{line}\n" for line in lines).encode()


async def _audited_batches(
    database: Database, query: ExportQuery, types: tuple[str, ...], permissions: frozenset[str]
) -> AsyncIterator[Sequence[str]]:
    to_line = to_cef if query.format == "cef" else to_json_line
    after, remaining = query.after, query.limit
    async with database.reading() as session:
        head = await queries.read_position(session)
    while remaining is None or remaining > 0:
        size = BATCH_SIZE if remaining is None else min(BATCH_SIZE, remaining)
        async with database.reading() as session:
            rows = await queries.read_audited_after(session, after, head, size)
        if not rows:
            return
        yield [
            to_line(replace(row, data=visible_data(row.type, row.data, permissions)))
            if matches_any(types, row.type)
            else to_line(replace(row, data="null"))
            for row in rows
        ]
        after, remaining = rows[-1].id, None if remaining is None else remaining - len(rows)


async def _chain_batches(database: Database, after: int, limit: int | None) -> AsyncIterator[Sequence[str]]:
    remaining = limit
    async with database.raw() as connection:
        head = await connection.fetchval(queries.CHAIN_POSITION)
    while remaining is None or remaining > 0:
        size = BATCH_SIZE if remaining is None else min(BATCH_SIZE, remaining)
        async with database.raw() as connection:
            rows = await connection.fetch(queries.CHAIN_ROWS, after, head, size)
        if not rows:
            return
        yield [to_chain_line(row) for row in rows]
        after, remaining = rows[-1]["position"], None if remaining is None else remaining - len(rows)


def to_json_line(row: AuditRow) -> str:
    entry = {
        "id": row.id,
        "at": row.at.astimezone(UTC).isoformat().replace("+00:00", "Z"),
        "type": row.type,
        "actor_id": row.actor_id,
        "actor": row.actor,
        "ip_address": row.client_ip,
        "subject": row.subject,
        "request_id": row.request_id,
        "hash": row.hash.hex(),
    }
    head = json.dumps(entry, ensure_ascii=False, separators=(",", ":"))
    return f'{head[:-1]},"data":{_to_one_line(row.data)}}}'


def _to_one_line(document: str) -> str:
    """Line breaks of JSON are between its tokens only."""
    return document.replace("\r", " ").replace("\n", " ")


def to_chain_line(row: asyncpg.Record) -> str:
    """The hashed columns, exactly as they are hashed, and the hash. Personal values are placeholders."""
    entry = LogEntry(*(row[name] for name in LogEntry.__slots__))
    line: dict[str, Any] = {
        **asdict(entry),
        "at": entry.at and entry.at.astimezone(UTC).isoformat(timespec="microseconds"),
    }
    line["hash"] = row["hash"].hex()
    if row["redacted_by"] is not None:
        redaction = {"redacted_by": row["redacted_by"], "previous_hash": row["previous_hash"].hex()}
        line["redaction"] = {**redaction, "digest": row["digest"].hex()}
    return json.dumps(line, ensure_ascii=False, separators=(",", ":"))


def from_chain_line(line: str) -> ChainLink:
    """Raises ValueError."""
    try:
        fields: dict[str, Any] = json.loads(line)
        stored_hash, redaction = bytes.fromhex(fields.pop("hash")), fields.pop("redaction", None)
        entry = LogEntry(**{**fields, "at": datetime.fromisoformat(fields["at"])})
        return ChainLink(entry, stored_hash, None if redaction is None else _to_redaction(redaction))
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"not a line of an export with format=chain: {error!r}") from error


def _to_redaction(fields: Mapping[str, str]) -> Redaction:
    previous_hash, digest = (bytes.fromhex(fields[name]) for name in ("previous_hash", "digest"))
    return Redaction(fields["redacted_by"], previous_hash, digest)
