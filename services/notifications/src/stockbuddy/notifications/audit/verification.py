"""Verifies the hash chain of the event log from the first entry that is not archived to the head, in batches, and finds
the first bad entry.

The head is read first and entries never change, so the verification needs no snapshot and events may be appended
meanwhile; if entries are archived meanwhile, it begins again. See docs/adr/0005-audit-chain.md for what this proves and
what it cannot.
"""

from dataclasses import dataclass

import asyncpg

from stockbuddy.chassis.postgres.database import Database
from stockbuddy.notifications.audit.chain_links import ChainLink, ChainState, Redaction
from stockbuddy.notifications.audit.queries import CHAIN_HEAD, CHAIN_ROWS, FIRST_BEYOND_HEAD, PERSONAL_VALUES
from stockbuddy.notifications.audit.schemas import AuditVerificationResponse
from stockbuddy.notifications.event_log.archive_queries import ChainStart, read_chain_start
from stockbuddy.notifications.event_log.chain import LogEntry
from stockbuddy.notifications.event_log.placeholders import PersonalValue
from stockbuddy.notifications.event_log.queries import read_extent

BATCH_SIZE = 1000
BEFORE_ANY_POSITION = -(2**63)
"""Not 0, because an inserted row may have a negative position."""


class _BrokenChain(Exception):
    """The chain breaks at this position."""

    def __init__(self, position: int) -> None:
        self.position = position
        super().__init__(position)


@dataclass(frozen=True, slots=True)
class KnownEntry:
    """Position and hash of the last entry of an earlier verification."""

    position: int
    hash: bytes


class _ChainVerifier:
    """The position, hash and number of audited entries verified so far. Methods raise _BrokenChain."""

    def __init__(self, start: ChainStart, known: KnownEntry | None) -> None:
        self.position = start.position
        self.audited = start.audited
        self.hash = start.hash
        self._chain = ChainState(start.hash)
        self._known = known

    def verify_start(self) -> None:
        self._compare_known(self.position, self.hash)

    def verify_row(self, row: asyncpg.Record) -> None:
        expected = self.position + 1
        link = to_link(row)
        entry, stored_hash = link.entry, link.hash
        if entry.position != expected or row["at"] is None or not self._chain.follow(link):
            raise _BrokenChain(min(entry.position, expected))
        self._compare_known(entry.position, stored_hash)
        self.position, self.hash = entry.position, stored_hash
        self.audited += entry.audited

    def verify_head(self, head: asyncpg.Record) -> None:
        """The last rows may be missing, or the head may have been altered."""
        if (unrecorded := self._chain.find_unrecorded()) is not None:
            raise _BrokenChain(unrecorded)
        if (self.position, self.audited, self.hash) != tuple(head):
            raise _BrokenChain(min(self.position, head["position"]) + 1)
        if self._known is not None and self._known.position > self.position:
            raise _BrokenChain(self.position + 1)

    def _compare_known(self, position: int, stored_hash: bytes) -> None:
        if self._known is not None and self._known.position == position and self._known.hash != stored_hash:
            raise _BrokenChain(position)


def to_link(row: asyncpg.Record) -> ChainLink:
    """A row of CHAIN_ROWS."""
    entry = LogEntry(*(row[name] for name in LogEntry.__slots__))
    if row["redacted_by"] is None:
        return ChainLink(entry, row["hash"])
    return ChainLink(entry, row["hash"], Redaction(row["redacted_by"], row["previous_hash"], row["digest"]))


async def verify_chain(database: Database, known: KnownEntry | None = None) -> AuditVerificationResponse:
    """Recompute every hash up to the current head, in bounded memory. Raises CursorArchived if the known entry is."""
    while True:
        if known is not None:
            async with database.reading() as session:
                (await read_extent(session)).require_kept_after(known.position)
        async with database.raw() as connection:
            start = await read_chain_start(connection)
            verdict = await _verify_from(connection, start, known)
            if verdict.ok or start == await read_chain_start(connection):
                return verdict


async def _verify_from(
    connection: asyncpg.Connection, start: ChainStart, known: KnownEntry | None
) -> AuditVerificationResponse:
    verifier = _ChainVerifier(start, known)
    first_bad_id: int | None = None
    head = await connection.fetchrow(CHAIN_HEAD)
    try:
        await _verify_rows(connection, verifier, head)
    except _BrokenChain as broken:
        first_bad_id = broken.position
    altered_values = await _count_altered_values(connection)
    return AuditVerificationResponse(
        ok=first_bad_id is None and not altered_values,
        entries=verifier.position - start.position,
        archived_entries=start.position,
        first_bad_id=first_bad_id,
        last_id=head["position"],
        last_hash=head["hash"].hex(),
        altered_values=altered_values,
    )


async def _verify_rows(connection: asyncpg.Connection, verifier: _ChainVerifier, head: asyncpg.Record) -> None:
    """Raises _BrokenChain."""
    verifier.verify_start()
    start = BEFORE_ANY_POSITION
    while rows := await connection.fetch(CHAIN_ROWS, start, head["position"], BATCH_SIZE):
        for row in rows:
            verifier.verify_row(row)
        start = verifier.position
    verifier.verify_head(head)
    if (beyond := await connection.fetchval(FIRST_BEYOND_HEAD)) is not None:
        raise _BrokenChain(beyond)


async def _count_altered_values(connection: asyncpg.Connection) -> int:
    """Personal values that do not match their placeholders, which the chain covers."""
    altered, start = 0, ""
    while rows := await connection.fetch(PERSONAL_VALUES, start, BATCH_SIZE):
        values = [(row["placeholder"], PersonalValue(row["person"], row["value"], row["salt"])) for row in rows]
        altered += sum(value.placeholder != placeholder for placeholder, value in values)
        start = rows[-1]["placeholder"]
    return altered
