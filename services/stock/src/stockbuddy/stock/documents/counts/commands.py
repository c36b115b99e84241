"""Opens stock counts, enters counted quantities, and cancels counts."""

from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.chassis.access.permissions import Permission
from stockbuddy.chassis.http.sessions import get_or_404
from stockbuddy.chassis.messaging import outbox
from stockbuddy.chassis.runtime import clock
from stockbuddy.contracts.stock import CountCancelled, CountEntered, CountOpened, CountState
from stockbuddy.stock.documents.counts import queries
from stockbuddy.stock.documents.counts.model import Count
from stockbuddy.stock.documents.counts.schemas import EnterCountsLine, StockCountCreate, StockCountResponse
from stockbuddy.stock.documents.counts.snapshots import CountedLine, enter_counted, snapshot_levels, snapshot_products
from stockbuddy.stock.errors import InvalidState
from stockbuddy.stock.inventory.posting_context import PostingContext
from stockbuddy.stock.inventory.warehouses.queries import lock_undeleted
from stockbuddy.stock.replicas.products.ownership import require_owner, require_owner_of

MAX_EVENT_LINES = 500
"""Bounds the size of the event; the movements are published individually."""


async def create_count(context: PostingContext, session: AsyncSession, body: StockCountCreate) -> StockCountResponse:
    """Raises UnknownProduct, UnknownWarehouse, ProductForbidden, WarehouseForbidden."""
    warehouse = await context.warehouse(body.warehouse_reference, session=session)
    references = body.product_references
    product_ids = None if references is None else await _load_owned_ids(context, session, references)
    count = Count(
        warehouse_id=warehouse.id,
        notes=body.notes,
        created_by=context.caller.user_id,
        created_at=clock.now(),
    )
    await lock_undeleted(session, warehouse.id)
    session.add(count)
    await session.flush()
    count.number = f"C-{count.id:06d}"
    await session.flush()
    owner_id = None if context.caller.may(Permission.STOCK_MOVE_ANY) else context.caller.user_id
    await snapshot_levels(session, count, product_ids=product_ids, category=body.category, owner_id=owner_id)
    if product_ids is not None and body.category is None:
        await snapshot_products(session, count, [(product_id, 0) for product_id in product_ids])
    return await _publish(session, CountOpened, count)


async def _load_owned_ids(context: PostingContext, session: AsyncSession, references: list[int | str]) -> list[int]:
    products = await context.products.load(references, session=session)
    for product in products.values():
        require_owner(context.caller, product)
    return sorted({product.id for product in products.values()})


async def enter_counts(
    context: PostingContext, session: AsyncSession, count_id: int, lines: list[EnterCountsLine]
) -> StockCountResponse:
    """Lines that the count does not have are added. Raises NotFound, InvalidState, UnknownProduct, ProductForbidden,
    WarehouseForbidden."""
    references = [line.product_reference for line in lines]
    counted_ids = await queries.fetch_product_ids(session, count_id)
    products = await context.products.load(references, include_deleted=counted_ids, session=session)
    for product in products.values():
        require_owner(context.caller, product)
    count = await _lock_open_count(context, session, count_id)
    counted = [
        CountedLine(products[line.product_reference].id, line.lot, line.counted, line.counted_at) for line in lines
    ]
    await snapshot_products(session, count, [(line.product_id, line.lot) for line in counted])
    await enter_counted(session, count, counted, context.caller.user_id)
    count.version += 1
    return await _publish(session, CountEntered, count)


async def cancel_count(context: PostingContext, session: AsyncSession, count_id: int) -> StockCountResponse:
    """Raises NotFound, InvalidState, ProductForbidden, WarehouseForbidden."""
    count = await _lock_open_count(context, session, count_id)
    response = await queries.to_response(session, count)
    await require_owner_of(session, context.caller, [line.product_id for line in response.lines])
    count.status = "cancelled"
    count.version += 1
    count.ended_by, count.ended_at = context.caller.user_id, clock.now()
    return await _publish(session, CountCancelled, count)


async def _lock_open_count(context: PostingContext, session: AsyncSession, count_id: int) -> Count:
    # Locked, so that a concurrent approval waits for this transaction.
    count = await get_or_404(session, Count, count_id, for_update=True)
    await context.warehouse(count.warehouse_id, session=session)
    if count.status != "open":
        raise InvalidState("stock count", count.status, ["open"])
    return count


async def _publish(session: AsyncSession, event: type[CountState], count: Count) -> StockCountResponse:
    await session.flush()
    response = await queries.to_response(session, count)
    outbox.add(session, event(**dict(response) | {"lines": response.lines[:MAX_EVENT_LINES]}))
    return response
