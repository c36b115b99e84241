"""Applies a group of postings in one transaction: lock, evaluate, write. Every change of stock goes through `apply`."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import asyncpg

from stockbuddy.stock.ledger import statements
from stockbuddy.stock.ledger.evaluator import PostingEvaluator
from stockbuddy.stock.ledger.events import LedgerEventWriter
from stockbuddy.stock.ledger.locked_level import LockedLevel
from stockbuddy.stock.ledger.postings import LevelKey, Posting, PostingOutcome
from stockbuddy.stock.ledger.rows import IdempotencyKeyRow
from stockbuddy.stock.ledger.write_set import write


class MissingLevels(Exception):
    """Some levels have no row yet: create them in a transaction of their own, then apply again."""

    def __init__(self, keys: Sequence[LevelKey]) -> None:
        self.keys = keys
        super().__init__()


@dataclass(frozen=True, slots=True)
class GroupResult:
    """Outcome per posting, in order. `wrote`: whether there is anything to commit. `shortages`: levels with
    insufficient stock. `transaction_id`, `backend_id`: identify the transaction if COMMIT's result is lost."""

    outcomes: Sequence[PostingOutcome]
    wrote: bool
    shortages: Sequence[LevelKey]
    transaction_id: int
    backend_id: int


async def apply(connection: asyncpg.Connection, postings: Sequence[Posting]) -> GroupResult:
    """Apply `postings` in order, within the open transaction of `connection`, which the caller ends.

    Locks documents before warehouses before levels, each in the order of their keys, so that concurrent groups cannot
    deadlock. Raises MissingLevels.
    """
    versions = await _lock_documents(connection, postings)
    warehouse_ids = await _lock_warehouses(connection, postings)
    levels = await _lock_levels(connection, level_keys(postings))
    state = await _read_state(connection, postings, levels)
    now: datetime = state["now"]
    evaluator = PostingEvaluator(
        levels=levels,
        versions=versions,
        warehouse_ids=warehouse_ids,
        stored_keys=_stored_keys(state["stored_keys"]),
        reversed_ids=await _find_reversed(connection, postings),
        movement_ids=iter(state["movement_ids"]),
        ids={table: iter(sorted(ids)) for table, ids in json.loads(state["ids"]).items()},
        events=LedgerEventWriter(now),
    )
    outcomes = [evaluator.evaluate(posting) for posting in postings]
    wrote = not evaluator.write_set.is_empty
    if wrote:
        await write(connection, evaluator.write_set, now)
    return GroupResult(
        outcomes=outcomes,
        wrote=wrote,
        shortages=sorted(evaluator.shortages),
        transaction_id=state["transaction_id"],
        backend_id=state["backend_id"],
    )


def level_keys(postings: Sequence[Posting]) -> list[LevelKey]:
    return sorted({entry.level for posting in postings for entry in posting.entries})


async def create_levels(connection: asyncpg.Connection, keys: Sequence[LevelKey]) -> None:
    """Insert empty rows for levels that have none; concurrent inserts of the same ones are harmless."""
    await connection.execute(statements.CREATE_LEVELS, *_key_columns(keys))


async def _lock_documents(connection: asyncpg.Connection, postings: Sequence[Posting]) -> dict[tuple[str, int], int]:
    """The versions of the checked documents, locked in the order of tables and ids."""
    ids: dict[str, set[int]] = {}
    for check in (check for posting in postings for check in posting.checks):
        ids.setdefault(check.table, set()).add(check.id)
    versions: dict[tuple[str, int], int] = {}
    for table in sorted(ids):
        for row in await connection.fetch(statements.lock_documents(table), sorted(ids[table])):
            versions[table, row["id"]] = row["version"]
    return versions


async def _lock_warehouses(connection: asyncpg.Connection, postings: Sequence[Posting]) -> set[int]:
    """Those that exist of the warehouses that the postings refer to."""
    ids = sorted(set().union(*(posting.refers_to for posting in postings)))
    return {row["id"] for row in await connection.fetch(statements.LOCK_WAREHOUSES, ids)} if ids else set()


async def _lock_levels(connection: asyncpg.Connection, keys: Sequence[LevelKey]) -> dict[LevelKey, LockedLevel]:
    rows = await connection.fetch(statements.LOCK_LEVELS, *_key_columns(keys)) if keys else []
    levels = {level.key: level for level in map(LockedLevel.from_row, rows)}
    if len(levels) < len(keys):
        raise MissingLevels([key for key in keys if key not in levels])
    return levels


async def _read_state(
    connection: asyncpg.Connection, postings: Sequence[Posting], levels: Mapping[LevelKey, LockedLevel]
) -> asyncpg.Record:
    """Read in one round trip what may only be read under the locks; apply the warehouses' policies to `levels`."""
    new_ids: dict[str, int] = {}
    for posting in postings:
        for table, count in posting.new_ids.items():
            new_ids[table] = new_ids.get(table, 0) + count
    keys = [posting.key for posting in postings if posting.key is not None]
    row = await connection.fetchrow(
        statements.READ_STATE,
        sum(len(posting.entries) for posting in postings),
        list(new_ids),
        list(new_ids.values()),
        list({key.warehouse_id for key in levels}),
        [key.caller for key in keys],
        [key.key for key in keys],
    )
    warehouses = {warehouse["id"]: warehouse for warehouse in json.loads(row["warehouses"])}
    for level in levels.values():
        warehouse = warehouses[level.key.warehouse_id]
        level.is_active, level.allows_negative = warehouse["is_active"], warehouse["allows_negative"]
    return row


def _stored_keys(document: str) -> dict[tuple[str, str], IdempotencyKeyRow]:
    rows = (values | {"fingerprint": bytes.fromhex(values["fingerprint"])} for values in json.loads(document))
    return {(row["caller"], row["key"]): IdempotencyKeyRow(**row) for row in rows}


async def _find_reversed(connection: asyncpg.Connection, postings: Sequence[Posting]) -> set[int]:
    """Those of the movements to be reversed that have been reversed before."""
    ids = [entry.reverses_id for posting in postings for entry in posting.entries if entry.reverses_id is not None]
    return {row["reverses_id"] for row in await connection.fetch(statements.FIND_REVERSED, ids)} if ids else set()


def _key_columns(keys: Sequence[LevelKey]) -> tuple[list[int], list[int], list[int]]:
    return [key.product_id for key in keys], [key.warehouse_id for key in keys], [key.lot for key in keys]
