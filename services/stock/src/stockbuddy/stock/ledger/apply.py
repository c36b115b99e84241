"""The one routine through which every change of stock goes: locks, decides and writes a group of postings."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from itertools import groupby
from typing import Any

import asyncpg

from stockbuddy.chassis.http.idempotency import StoredResponse
from stockbuddy.chassis.messaging import outbox
from stockbuddy.stock.ledger import statements
from stockbuddy.stock.ledger.anomaly import Habit
from stockbuddy.stock.ledger.evaluator import Decider, Plan, StoredAnswer, guards_of, keys_of
from stockbuddy.stock.ledger.events import Announcer
from stockbuddy.stock.ledger.locked_level import Level
from stockbuddy.stock.ledger.postings import LevelKey, Outcome, Posting, Row


class MissingLevels(Exception):
    """Some of the levels have no row yet: create them in a transaction of their own, then apply again."""

    def __init__(self, keys: Sequence[LevelKey]) -> None:
        self.keys = keys
        super().__init__()


@dataclass(frozen=True, slots=True)
class Applied:
    """What became of each posting, in their order; `wrote` is false when there is nothing to commit, and `short`
    are the levels of which there was not enough for everybody. `transaction_id` and `backend_id` are PostgreSQL's
    names for who did it."""

    outcomes: Sequence[Outcome]
    wrote: bool
    short: Sequence[LevelKey]
    transaction_id: int
    backend_id: int


async def apply(connection: asyncpg.Connection, postings: Sequence[Posting]) -> Applied:
    """Apply `postings` in order, within the open transaction of `connection`, which the caller ends.

    Locks documents before levels and both in one order for everybody. Raises MissingLevels.
    """
    documents = await _lock_documents(connection, guards_of(postings))
    levels = await _lock_levels(connection, keys_of(postings))
    decider, transaction_id, backend_id = await _open_books(connection, postings, documents, levels)
    outcomes = [decider.decide(posting) for posting in postings]
    if not decider.plan.is_empty:
        await _write(connection, decider.plan, decider.announcer.now)
    return Applied(outcomes, not decider.plan.is_empty, sorted(decider.short), transaction_id, backend_id)


async def create_levels(connection: asyncpg.Connection, keys: Sequence[LevelKey]) -> None:
    """Empty rows for levels that have none; whoever else creates the same ones does no harm."""
    await connection.execute(statements.CREATE_LEVELS, *_transposed(keys, 3))


async def _lock_documents(
    connection: asyncpg.Connection, wanted: Mapping[str, Sequence[int]]
) -> dict[tuple[str, int], int]:
    versions: dict[tuple[str, int], int] = {}
    for table, ids in wanted.items():
        for row in await connection.fetch(statements.lock_documents(table), ids):
            versions[table, row["id"]] = row["version"]
    return versions


async def _lock_levels(connection: asyncpg.Connection, keys: Sequence[LevelKey]) -> dict[LevelKey, Level]:
    rows = await connection.fetch(statements.LOCK_LEVELS, *_transposed(keys, 3)) if keys else []
    levels: dict[LevelKey, Level] = {}
    for row in rows:
        key = LevelKey(*row[:3])
        levels[key] = Level(*(key, *row[3:12], Habit(*row[12:15]), Habit(*row[15:])))
    if len(levels) < len(keys):
        raise MissingLevels([key for key in keys if key not in levels])
    return levels


async def _open_books(
    connection: asyncpg.Connection,
    postings: Sequence[Posting],
    documents: dict[tuple[str, int], int],
    levels: dict[LevelKey, Level],
) -> tuple[Decider, int, int]:
    """What must be read after the locks are held: the clock, the warehouses' policies, earlier answers, new ids."""
    new_ids: dict[str, int] = {}
    for posting in postings:
        for table, count in posting.new_ids.items():
            new_ids[table] = new_ids.get(table, 0) + count
    row = await connection.fetchrow(
        statements.OPEN_BOOKS,
        sum(len(posting.entries) for posting in postings),
        list(new_ids),
        list(new_ids.values()),
        list({key.warehouse_id for key in levels}),
        *_transposed([(posting.key.caller, posting.key.key) for posting in postings if posting.key is not None], 2),
    )
    warehouses = {warehouse[0]: warehouse[1:] for warehouse in json.loads(row["warehouses"])}
    for key, level in levels.items():
        level.is_open, level.allows_negative = warehouses[key.warehouse_id]
    ids = {table: iter(sorted(drawn)) for table, drawn in json.loads(row["ids"]).items()}
    stored = {
        (caller, key): StoredAnswer(bytes.fromhex(fingerprint), StoredResponse(status, body))
        for caller, key, fingerprint, status, body in json.loads(row["answers"])
    }
    reversed_ids = await _reversed(connection, postings)
    decider = Decider(levels, documents, stored, reversed_ids, iter(row["movement_ids"]), ids, Announcer(row["now"]))
    return decider, row["transaction_id"], row["backend_id"]


async def _reversed(connection: asyncpg.Connection, postings: Sequence[Posting]) -> set[int]:
    """Which of the movements that are to be reversed have been already."""
    wanted = [entry.reverses_id for posting in postings for entry in posting.entries if entry.reverses_id is not None]
    return {row["reverses_id"] for row in await connection.fetch(statements.REVERSED, wanted)} if wanted else set()


async def _write(connection: asyncpg.Connection, plan: Plan, now: datetime) -> None:
    levels = [
        (*level.key, level.on_hand, level.reserved, level.version, level.average_cost, level.overdrawn,
         level.is_low, level.is_depleted, *level.taken, *level.added)
        for level in plan.levels.values()
    ]  # fmt: skip
    # In one order for everybody: two groups may be about to store the same keys.
    answers = sorted((k.caller, k.key, k.fingerprint, answer.status, answer.body) for k, answer in plan.answers)
    changed = await connection.fetchval(
        statements.WRITE,
        *_columns_of(levels, statements.LEVEL_COLUMNS),
        *_columns_of(plan.movements, statements.MOVEMENT_COLUMNS),
        *_columns_of(answers, statements.ANSWER_COLUMNS),
        *outbox.columns(plan.events),
        now,
    )
    if changed != len(levels):
        raise RuntimeError(f"{len(levels)} levels were to change and {changed} did")
    for table, rows in plan.inserts.items():
        for columns, alike in _by_columns(rows):
            await connection.execute(statements.insert_documents(table, columns), _document(alike))
    for table, rows in plan.updates.items():
        for columns, alike in _by_columns(rows):
            await connection.execute(statements.update_documents(table, columns), _document(alike))


def _columns_of(rows: Sequence[Sequence[Any]], kinds: Mapping[str, str]) -> list[Any]:
    columns = _transposed(rows, len(kinds))
    return [
        _literal(column) if kind == "numeric" else column for column, kind in zip(columns, kinds.values(), strict=True)
    ]


def _literal(numbers: Sequence[Decimal | None]) -> str:
    return "{" + ",".join(["NULL" if number is None else str(number) for number in numbers]) + "}"


def _by_columns(rows: Sequence[Row]) -> list[tuple[tuple[str, ...], list[Row]]]:
    """The rows in runs with the same columns: usually one."""
    ordered = sorted(rows, key=_columns)
    return [(columns, list(run)) for columns, run in groupby(ordered, key=_columns)]


def _columns(row: Row) -> tuple[str, ...]:
    return tuple(row)


def _document(rows: Sequence[Row]) -> str:
    return json.dumps(rows, default=str)


def _transposed(rows: Sequence[Sequence[Any]], width: int) -> list[Sequence[Any]]:
    return list(zip(*rows, strict=True)) if rows else [[]] * width
