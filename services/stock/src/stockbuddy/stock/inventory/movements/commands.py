"""Posts movements by hand: one, or many at once."""

import json
from collections.abc import Sequence
from typing import Any

from stockbuddy.chassis.http.errors import Problem
from stockbuddy.chassis.http.idempotency import StoredResponse
from stockbuddy.stock.errors import InsufficientStock, UnknownProduct
from stockbuddy.stock.inventory.movements.schemas import MovementCreate
from stockbuddy.stock.inventory.posting_context import PostingContext
from stockbuddy.stock.ledger import Change, DocumentChanges, Entry, LevelKey, Posting, PostingResult, Shortage
from stockbuddy.stock.ledger.shortages import shortage_body
from stockbuddy.stock.replicas.products.model import ProductReplica
from stockbuddy.stock.replicas.products.ownership import require_owner


async def draft_movement(context: PostingContext, movement: MovementCreate) -> Posting:
    """Raises UnknownProduct, UnknownWarehouse, ProductForbidden, WarehouseForbidden."""
    known = await context.products.load([movement.product_reference])
    entry = await _entry(context, movement, known[movement.product_reference])
    return Posting([entry], _build_one, context.key)


async def draft_movements(context: PostingContext, movements: Sequence[MovementCreate]) -> Posting:
    """All or nothing. Raises what `draft_movement` does."""
    known = await context.products.load([movement.product_reference for movement in movements])
    entries = [await _entry(context, movement, known[movement.product_reference]) for movement in movements]
    return Posting(entries, _build_all, context.key)


async def draft_movements_one_by_one(context: PostingContext, movements: Sequence[MovementCreate]) -> Posting:
    """Each for itself: one that can't be posted is reported and does not hinder the others."""
    known = await context.products.find([movement.product_reference for movement in movements])
    entries: list[Entry] = []
    problems: dict[int, Problem] = {}
    for index, movement in enumerate(movements):
        try:
            product = known.get(movement.product_reference)
            if product is None:
                raise UnknownProduct([movement.product_reference])
            entries.append(await _entry(context, movement, product))
        except Problem as problem:
            problems[index] = problem
    bodies = {index: problem.body() for index, problem in problems.items()}
    return Posting(entries, lambda result: _build_each(result, len(movements), bodies), context.key, partial=True)


async def _entry(context: PostingContext, movement: MovementCreate, product: ProductReplica) -> Entry:
    warehouse = await context.warehouse(movement.warehouse_reference)
    require_owner(context.caller, product)
    return Entry(
        LevelKey(product.id, warehouse.id, movement.lot),
        on_hand=movement.signed,
        movement_type=movement.movement_type,
        unit_cost=movement.unit_cost,
        reference_number=movement.reference_number,
        notes=movement.notes,
        occurred_at=movement.occurred_at,
    )


def _build_one(result: PostingResult) -> DocumentChanges:
    return DocumentChanges(StoredResponse(201, _line(result.accepted()[0])))


def _build_all(result: PostingResult) -> DocumentChanges:
    lines = [_result(index, _line(change)) for index, change in enumerate(result.accepted())]
    return DocumentChanges(StoredResponse(200, _batch(posted=len(lines), rejected=0, results=lines)))


def _build_each(result: PostingResult, count: int, problems: dict[int, dict[str, Any]]) -> DocumentChanges:
    changes = iter(result.changes)
    results = []
    posted = 0
    for index in range(count):
        outcome = problems[index] if index in problems else next(changes)
        if isinstance(outcome, Change):
            posted += 1
            results.append(_result(index, _line(outcome)))
        else:
            results.append(_rejection(index, outcome))
    answer = StoredResponse(200, _batch(posted=posted, rejected=count - posted, results=results))
    return DocumentChanges(answer, remembered=posted > 0)


def _line(change: Change) -> str:
    assert change.movement is not None
    return change.movement


def _result(index: int, line: str) -> str:
    return f'{{"index":{index},"status":"posted","movement":{line}}}'


def _rejection(index: int, outcome: Shortage | Problem | dict[str, Any]) -> str:
    problem = InsufficientStock([shortage_body(outcome)]) if isinstance(outcome, Shortage) else outcome
    body = problem.body() if isinstance(problem, Problem) else problem
    return json.dumps({"index": index, "status": "rejected", "problem": body})


def _batch(*, posted: int, rejected: int, results: Sequence[str]) -> str:
    return f'{{"posted":{posted},"rejected":{rejected},"results":[{",".join(results)}]}}'
