"""What a group of accepted postings writes, and the statements that write it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby

import asyncpg

from stockbuddy.chassis.messaging import outbox
from stockbuddy.chassis.messaging.outbox import OutboxEvent
from stockbuddy.stock.ledger import statements
from stockbuddy.stock.ledger.locked_level import LockedLevel
from stockbuddy.stock.ledger.postings import LevelKey, Row
from stockbuddy.stock.ledger.rows import IDEMPOTENCY_KEYS, LEVELS, MOVEMENTS, IdempotencyKeyRow, MovementRow


@dataclass(slots=True)
class WriteSet:
    """Documents are rows by table; their tables are written in the order in which they were added."""

    levels: dict[LevelKey, LockedLevel] = field(default_factory=dict)
    movements: list[MovementRow] = field(default_factory=list)
    events: list[OutboxEvent] = field(default_factory=list)
    idempotency_keys: list[IdempotencyKeyRow] = field(default_factory=list)
    inserts: dict[str, list[Row]] = field(default_factory=dict)
    updates: dict[str, list[Row]] = field(default_factory=dict)

    @property
    def is_empty(self) -> bool:
        return not (self.levels or self.events or self.idempotency_keys or self.inserts or self.updates)

    def add_documents(self, inserts: Mapping[str, Sequence[Row]], updates: Mapping[str, Sequence[Row]]) -> None:
        for table, rows in inserts.items():
            self.inserts.setdefault(table, []).extend(rows)
        for table, rows in updates.items():
            self.updates.setdefault(table, []).extend(rows)


async def write(connection: asyncpg.Connection, write_set: WriteSet, now: datetime) -> None:
    """One statement for the ledger's own tables, then one for each table and set of columns of the documents."""
    levels = [level.to_row() for level in write_set.levels.values()]
    # Sorted, so that two groups that store the same keys wait for each other instead of deadlocking.
    keys = sorted(write_set.idempotency_keys, key=lambda row: (row.caller, row.key))
    updated = await connection.fetchval(
        statements.WRITE,
        now,
        *LEVELS.arrays(levels),
        *MOVEMENTS.arrays(write_set.movements),
        *IDEMPOTENCY_KEYS.arrays(keys),
        *outbox.columns(write_set.events),
    )
    if updated != len(levels):
        raise RuntimeError(f"updated {updated} levels instead of {len(levels)}")
    for table, rows in write_set.inserts.items():
        for columns, alike in _by_columns(rows):
            await connection.execute(statements.insert_documents(table, columns), _to_json(alike))
    for table, rows in write_set.updates.items():
        for columns, alike in _by_columns(rows):
            await connection.execute(statements.update_documents(table, columns), _to_json(alike))


def _by_columns(rows: Sequence[Row]) -> list[tuple[tuple[str, ...], list[Row]]]:
    """The rows grouped by their columns: usually one group."""
    return [(columns, list(group)) for columns, group in groupby(sorted(rows, key=_columns), key=_columns)]


def _columns(row: Row) -> tuple[str, ...]:
    return tuple(row)


def _to_json(rows: Sequence[Row]) -> str:
    return json.dumps(rows, default=str)
