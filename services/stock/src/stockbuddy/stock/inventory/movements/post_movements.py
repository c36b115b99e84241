"""Posts movements that belong to no document: one, or a batch."""

import json
from collections.abc import Sequence
from typing import Any

from stockbuddy.chassis.http.errors import Problem
from stockbuddy.chassis.http.idempotency import StoredResponse
from stockbuddy.stock.errors import InsufficientStock, UnknownProduct
from stockbuddy.stock.inventory.movements.schemas import MovementCreate
from stockbuddy.stock.inventory.posting_context import PostingContext
from stockbuddy.stock.ledger import (
    Authority,
    Change,
    DocumentChanges,
    Entry,
    LevelKey,
    Posting,
    PostingResult,
    Purpose,
    Shortage,
)
from stockbuddy.stock.ledger.shortages import shortage_body
from stockbuddy.stock.replicas.products.model import ProductReplica


async def plan_movement(context: PostingContext, movement: MovementCreate) -> Posting:
    """Raises UnknownProduct, UnknownWarehouse, WarehouseForbidden; the ledger raises ProductForbidden."""
    product = await context.products.load_one(movement.product_reference)
    return Posting([await _to_entry(context, movement, product)], _build_single, _authority(context), context.key)


async def plan_atomic_batch(context: PostingContext, movements: Sequence[MovementCreate]) -> Posting:
    """Post all movements or none. Raises the errors of `plan_movement`."""
    products = await context.products.load([movement.product_reference for movement in movements])
    entries = [await _to_entry(context, movement, products[movement.product_reference]) for movement in movements]
    return Posting(entries, _build_atomic_batch, _authority(context), context.key)


async def plan_partial_batch(context: PostingContext, movements: Sequence[MovementCreate]) -> Posting:
    """Post every movement that can be posted; the response reports the problems of the others."""
    products = await context.products.find([movement.product_reference for movement in movements])
    entries: list[Entry] = []
    problems: dict[int, Problem] = {}
    for index, movement in enumerate(movements):
        try:
            product = products.get(movement.product_reference)
            if product is None:
                raise UnknownProduct([movement.product_reference])
            entries.append(await _to_entry(context, movement, product))
        except Problem as problem:
            problems[index] = problem
    bodies = {index: problem.body() for index, problem in problems.items()}
    return Posting(
        entries,
        lambda result: _build_partial_batch(result, len(movements), bodies),
        _authority(context),
        context.key,
        partial=True,
    )


def _authority(context: PostingContext) -> Authority:
    return context.authority(Purpose.MOVEMENT)


async def _to_entry(context: PostingContext, movement: MovementCreate, product: ProductReplica) -> Entry:
    warehouse = await context.warehouse(movement.warehouse_reference)
    return Entry(
        LevelKey(product.id, warehouse.id, movement.lot),
        on_hand=movement.signed_quantity,
        movement_type=movement.movement_type,
        unit_cost=movement.unit_cost,
        reference_number=movement.reference_number,
        notes=movement.notes,
        occurred_at=movement.occurred_at,
    )


def _build_single(result: PostingResult) -> DocumentChanges:
    return DocumentChanges(StoredResponse(201, _movement_json(result.accepted()[0])))


def _build_atomic_batch(result: PostingResult) -> DocumentChanges:
    results = [_posted_json(index, change) for index, change in enumerate(result.accepted())]
    return DocumentChanges(_batch_response(results, posted=len(results)))


def _build_partial_batch(result: PostingResult, count: int, problems: dict[int, dict[str, Any]]) -> DocumentChanges:
    """`problems`: bodies of the movements rejected before posting, by index; the others are entries of the posting."""
    changes = iter(result.changes)
    results: list[str] = []
    posted = 0
    for index in range(count):
        outcome = problems[index] if index in problems else next(changes)
        if isinstance(outcome, Change):
            posted += 1
            results.append(_posted_json(index, outcome))
        else:
            results.append(_rejected_json(index, outcome))
    # A batch of which nothing was posted may be retried with the same key.
    return DocumentChanges(_batch_response(results, posted=posted), is_stored=posted > 0)


def _movement_json(change: Change) -> str:
    assert change.movement is not None
    return change.movement


def _posted_json(index: int, change: Change) -> str:
    return f'{{"index":{index},"status":"posted","movement":{_movement_json(change)}}}'


def _rejected_json(index: int, outcome: Shortage | Problem | dict[str, Any]) -> str:
    problem = InsufficientStock([shortage_body(outcome)]) if isinstance(outcome, Shortage) else outcome
    body = problem.body() if isinstance(problem, Problem) else problem
    return json.dumps({"index": index, "status": "rejected", "problem": body})


def _batch_response(results: Sequence[str], *, posted: int) -> StoredResponse:
    """A MovementBatchResponse, assembled from the movements' JSON that the ledger has already serialised."""
    rejected = len(results) - posted
    return StoredResponse(200, f'{{"posted":{posted},"rejected":{rejected},"results":[{",".join(results)}]}}')
