"""Consumes the quantities that catalog's imports name for existing products: posts the differences as adjustments."""

from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.chassis.messaging.handlers import decode, event_context_of
from stockbuddy.chassis.messaging.message import Message
from stockbuddy.chassis.runtime.event_context import EventContext
from stockbuddy.contracts.catalog import ProductQuantityImported
from stockbuddy.stock.inventory.movements.opening_stock import build_no_changes, post_in
from stockbuddy.stock.inventory.warehouses.queries import fetch_default_warehouse_id
from stockbuddy.stock.ledger import Authority, Entry, LevelKey, MovementType, Posting, Purpose


async def consume_imported_quantities(session: AsyncSession, messages: Sequence[Message]) -> None:
    """Set the levels in the default warehouse to the imported quantities."""
    warehouse_id = await fetch_default_warehouse_id(session)
    events = [(decode(ProductQuantityImported, message), event_context_of(message)) for message in messages]
    await post_in(session, [_to_posting(event, warehouse_id, context) for event, context in events])


def _to_posting(event: ProductQuantityImported, warehouse_id: int, context: EventContext) -> Posting:
    entry = Entry(
        LevelKey(event.product_id, warehouse_id),
        set_to=event.quantity,
        movement_type=MovementType.ADJUSTMENT,
        notes=f"import {event.import_id}",
    )
    allowed = event.warehouse_ids
    authority = Authority(Purpose.MOVEMENT, warehouse_ids=None if allowed is None else frozenset(allowed))
    return Posting([entry], build_no_changes, authority, context=context)
