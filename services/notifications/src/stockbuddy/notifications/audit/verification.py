"""Walks the chain of the event log from its first row to its head, in pieces, and finds where it was tampered with.

The head is read first and rows never change, so that the walk needs no snapshot and events may arrive meanwhile.
See docs/adr/0005-audit-chain.md for what this proves and what it can't.
"""

from dataclasses import dataclass

import asyncpg

from stockbuddy.chassis.postgres.database import Database
from stockbuddy.notifications.audit.queries import CHAIN_BEHIND_HEAD, CHAIN_HEAD, CHAIN_PIECE
from stockbuddy.notifications.audit.schemas import AuditVerdict
from stockbuddy.notifications.event_log.chain import GENESIS, Entry, link

PIECE = 1000
BEFORE_ANY_POSITION = -(2**63)


class _Broken(Exception):
    """The chain breaks at this id."""

    def __init__(self, position: int) -> None:
        self.position = position
        super().__init__(position)


@dataclass(frozen=True, slots=True)
class Noted:
    """What somebody wrote down of an earlier verdict: the last entry's id and hash of then."""

    position: int
    hash: bytes


class _Walk:
    """How far the walk has come, and the hash there."""

    def __init__(self, noted: Noted | None) -> None:
        self.position = 0
        self.audited = 0
        self.hash = GENESIS
        self._noted = noted

    def step(self, row: asyncpg.Record) -> None:
        expected = self.position + 1
        entry, stored_hash = Entry(*row[:-1]), row["hash"]
        if entry.position != expected or row["at"] is None or link(self.hash, entry) != stored_hash:
            raise _Broken(min(entry.position, expected))
        if self._noted is not None and self._noted.position == entry.position and self._noted.hash != stored_hash:
            raise _Broken(entry.position)
        self.position, self.hash = entry.position, stored_hash
        self.audited += entry.audited

    def arrive(self, head: asyncpg.Record) -> None:
        """Rows may be missing behind the last one, or the head was set to something else."""
        if (self.position, self.audited, self.hash) != tuple(head):
            raise _Broken(min(self.position, head["position"]) + 1)
        if self._noted is not None and self._noted.position > self.position:
            raise _Broken(self.position + 1)


async def verify_chain(database: Database, noted: Noted | None = None) -> AuditVerdict:
    """Recompute every hash up to the head of now, in bounded memory."""
    walk = _Walk(noted)
    first_bad_id: int | None = None
    async with database.raw() as connection:
        head = await connection.fetchrow(CHAIN_HEAD)
        try:
            await _walk_to(connection, walk, head)
        except _Broken as broken:
            first_bad_id = broken.position
    return AuditVerdict(
        ok=first_bad_id is None,
        entries=walk.position,
        first_bad_id=first_bad_id,
        last_id=head["position"],
        last_hash=head["hash"].hex(),
    )


async def _walk_to(connection: asyncpg.Connection, walk: _Walk, head: asyncpg.Record) -> None:
    """Raises _Broken."""
    start = BEFORE_ANY_POSITION
    while rows := await connection.fetch(CHAIN_PIECE, start, head["position"], PIECE):
        for row in rows:
            walk.step(row)
        start = walk.position
    walk.arrive(head)
    if (astray := await connection.fetchval(CHAIN_BEHIND_HEAD)) is not None:
        raise _Broken(astray)
