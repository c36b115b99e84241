"""Consumes catalog's new products: replicates them and posts their opening stock in the default warehouse."""

from collections.abc import Sequence
from decimal import Decimal

import structlog
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.chassis.http.idempotency import StoredResponse
from stockbuddy.chassis.messaging import outbox
from stockbuddy.chassis.messaging.handlers import decode, event_context_of
from stockbuddy.chassis.messaging.message import Message
from stockbuddy.chassis.postgres.database import driver_connection
from stockbuddy.chassis.runtime.event_context import EventContext
from stockbuddy.contracts.catalog import ProductCreated
from stockbuddy.stock.errors import QuantityOutOfRange, WarehouseForbidden
from stockbuddy.stock.inventory.warehouses.queries import fetch_default_warehouse_id
from stockbuddy.stock.ledger import (
    Authority,
    DocumentChanges,
    Entry,
    LevelKey,
    MovementType,
    Posting,
    PostingResult,
    Purpose,
)
from stockbuddy.stock.ledger.apply import apply, create_levels, level_keys
from stockbuddy.stock.ledger.postings import Failed, PostingOutcome, Refused
from stockbuddy.stock.replicas.products.replicate import replicate_products

log = structlog.get_logger(__name__)

OPENING_DOCUMENT = "opening/"
"""Prefix of the document of an opening movement. It is unique per product, so opening stock is posted only once."""

_POSTED = text("SELECT document FROM movement WHERE document = ANY(:documents)")


async def consume_created_products(session: AsyncSession, messages: Sequence[Message]) -> None:
    """Replicate new products and post their opening stock in the same transaction."""
    events = [decode(ProductCreated, message) for message in messages]
    await replicate_products(session, events)
    posted = set(await session.scalars(_POSTED, {"documents": [_document(event) for event in events]}))
    warehouse_id = await fetch_default_warehouse_id(session)
    postings = [
        _to_posting(event, event.opening_quantity, event_context_of(message), warehouse_id)
        for event, message in zip(events, messages, strict=True)
        if event.opening_quantity is not None and event.opening_quantity > 0 and _document(event) not in posted
    ]
    if postings:
        await post_in(session, postings)


async def post_in(session: AsyncSession, postings: Sequence[Posting]) -> None:
    """Apply postings of the catalog's events in the session's transaction."""
    connection = await driver_connection(session)
    # In this transaction, not in one of its own: no other one can lock levels of products that it does not see.
    await create_levels(connection, level_keys(postings))
    _require_accepted((await apply(connection, postings)).outcomes)
    outbox.mark_inserted(session)


def _document(event: ProductCreated) -> str:
    return f"{OPENING_DOCUMENT}{event.product_id}"


def _to_posting(event: ProductCreated, quantity: Decimal, origin: EventContext, warehouse_id: int) -> Posting:
    entry = Entry(
        LevelKey(event.product_id, warehouse_id),
        on_hand=quantity,
        movement_type=MovementType.IN,
        unit_cost=event.cost_price,
        notes="opening stock",
    )
    allowed = event.opening_warehouse_ids
    authority = Authority(Purpose.MOVEMENT, warehouse_ids=None if allowed is None else frozenset(allowed))
    return Posting([entry], build_no_changes, authority, document=_document(event), context=origin)


def _require_accepted(outcomes: Sequence[PostingOutcome]) -> None:
    """Log a quantity that exceeds the limit, or that the creator may not post in the default warehouse (the catalog
    refuses it, unless the default has moved since): the product is replicated without it. Raise any other problem."""
    for outcome in outcomes:
        if isinstance(outcome, Refused) and isinstance(outcome.problem, QuantityOutOfRange | WarehouseForbidden):
            log.error("products.opening_refused", code=outcome.problem.code)
        elif isinstance(outcome, Refused):
            raise outcome.problem
        if isinstance(outcome, Failed):
            raise outcome.error


def build_no_changes(_: PostingResult) -> DocumentChanges:
    return DocumentChanges(StoredResponse(200, ""))
