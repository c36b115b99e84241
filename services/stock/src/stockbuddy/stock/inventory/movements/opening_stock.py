"""What the catalogue says becomes the product copy; a new product's opening quantity becomes its first movement."""

from collections.abc import Sequence
from decimal import Decimal

import asyncpg
import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.chassis.http.idempotency import Answer
from stockbuddy.chassis.messaging import outbox
from stockbuddy.chassis.messaging.bus import Message
from stockbuddy.chassis.messaging.event_context import EventContext
from stockbuddy.chassis.messaging.handlers import decode, event_context_of
from stockbuddy.contracts.catalog import CategoryState, ProductCreated, ProductState
from stockbuddy.stock.errors import QuantityOutOfRange
from stockbuddy.stock.inventory.warehouses.queries import default_warehouse_id
from stockbuddy.stock.ledger import Conclusion, Effect, Entry, LevelKey, MovementType, Posting
from stockbuddy.stock.ledger.application import apply, create_levels
from stockbuddy.stock.ledger.decision import keys_of
from stockbuddy.stock.ledger.postings import Failed, Outcome, Refused
from stockbuddy.stock.replicas.products import queries
from stockbuddy.stock.replicas.signals import ARRIVALS

log = structlog.get_logger(__name__)


async def copy_states(session: AsyncSession, states: Sequence[ProductState]) -> None:
    await queries.copy_products(session, states)
    ARRIVALS.announce_after_commit(session)


async def name_categories(session: AsyncSession, states: Sequence[CategoryState]) -> None:
    await queries.name_categories(session, states)


async def copy_created(session: AsyncSession, messages: Sequence[Message]) -> None:
    """Copies new products and opens their stock in the default warehouse, once each for good."""
    events = [decode(ProductCreated, message) for message in messages]
    await copy_states(session, events)
    opened = await queries.opened_already(session, [_document(event) for event in events])
    warehouse_id = await default_warehouse_id(session)
    postings = [
        _opening(event, event.opening_quantity, event_context_of(message), warehouse_id)
        for event, message in zip(events, messages, strict=True)
        if event.opening_quantity is not None and event.opening_quantity > 0 and _document(event) not in opened
    ]
    if postings:
        # Nobody else can know the levels of products that this very transaction makes known.
        connection = await _driver(session)
        await create_levels(connection, keys_of(postings))
        _require_accepted((await apply(connection, postings)).outcomes)
        outbox.mark_written(session)


def _document(event: ProductCreated) -> str:
    return f"opening/{event.product_id}"


def _opening(event: ProductCreated, quantity: Decimal, origin: EventContext, warehouse_id: int) -> Posting:
    entry = Entry(
        LevelKey(event.product_id, warehouse_id),
        on_hand=quantity,
        movement_type=MovementType.IN,
        unit_cost=event.cost_price,
        notes="opening stock",
    )
    return Posting([entry], _conclude, document=_document(event), origin=origin)


def _require_accepted(outcomes: Sequence[Outcome]) -> None:
    """The product is known even if nobody could record that much of it."""
    for outcome in outcomes:
        if isinstance(outcome, Refused) and isinstance(outcome.problem, QuantityOutOfRange):
            log.error("products.opening_out_of_range")
        elif isinstance(outcome, Refused):
            raise outcome.problem
        if isinstance(outcome, Failed):
            raise outcome.error


def _conclude(_: Effect) -> Conclusion:
    return Conclusion(Answer(200, ""))


async def _driver(session: AsyncSession) -> asyncpg.Connection:
    connection = await session.connection()
    driver: asyncpg.Connection = (await connection.get_raw_connection()).driver_connection
    return driver
