"""Opens counting sessions, takes in what was counted, and calls sessions off."""

from datetime import UTC, datetime

from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.chassis.http.errors import NotFound
from stockbuddy.chassis.messaging import outbox
from stockbuddy.contracts.stock import CountCancelled, CountEntered, CountOpened, CountState
from stockbuddy.stock.documents.counts import queries
from stockbuddy.stock.documents.counts.model import Count
from stockbuddy.stock.documents.counts.schemas import CountedLine, StockCountResponse, StockCountCreate
from stockbuddy.stock.errors import InvalidState
from stockbuddy.stock.inventory.posting_context import PostingContext
from stockbuddy.stock.replicas.products.ownership import require_owner, require_owner_of

LINES_TOLD = 500
"""An event must stay small enough for the bus; the movements tell the rest."""


async def open_count(context: PostingContext, session: AsyncSession, wanted: StockCountCreate) -> StockCountResponse:
    """Raises UnknownProduct, UnknownWarehouse, ProductForbidden, WarehouseForbidden."""
    warehouse = await context.warehouse(wanted.warehouse_reference)
    product_ids = None if wanted.chosen is None else await _chosen(context, wanted.chosen)
    count = Count(
        warehouse_id=warehouse.id,
        notes=wanted.notes,
        created_by=context.caller.user_id,
        created_at=datetime.now(UTC),
    )
    session.add(count)
    await session.flush()
    count.number = f"C-{count.id:06d}"
    await session.flush()
    owner_id = None if context.caller.is_manager else context.caller.user_id
    await queries.freeze_levels(session, count, product_ids=product_ids, category=wanted.category, owner_id=owner_id)
    if product_ids is not None and wanted.category is None:
        await queries.freeze_named(session, count, [(product_id, 0) for product_id in product_ids])
    return await _told(session, CountOpened, count)


async def _chosen(context: PostingContext, references: list[int | str]) -> list[int]:
    known = await context.products.load(references)
    for product in known.values():
        require_owner(context.caller, product)
    return sorted({product.id for product in known.values()})


async def enter_counted(
    context: PostingContext, session: AsyncSession, count_id: int, lines: list[CountedLine]
) -> StockCountResponse:
    """What was not among the lines is added to them. Raises NotFound, InvalidState, UnknownProduct, ProductForbidden,
    WarehouseForbidden."""
    known = await context.products.load([line.product_reference for line in lines])
    for product in known.values():
        require_owner(context.caller, product)
    count = await _open_count(context, session, count_id)
    entered = [
        queries.Entered(known[line.product_reference].id, line.lot, line.counted, line.counted_at) for line in lines
    ]
    await queries.freeze_named(session, count, [(line.product_id, line.lot) for line in entered])
    await queries.enter(session, count, entered, context.caller.user_id, datetime.now(UTC))
    count.version += 1
    return await _told(session, CountEntered, count)


async def call_off(context: PostingContext, session: AsyncSession, count_id: int) -> StockCountResponse:
    """Raises NotFound, InvalidState, ProductForbidden, WarehouseForbidden."""
    count = await _open_count(context, session, count_id)
    view = await queries.view_of(session, count)
    await require_owner_of(session, context.caller, [line.product_id for line in view.lines])
    count.status = "cancelled"
    count.version += 1
    count.ended_by, count.ended_at = context.caller.user_id, datetime.now(UTC)
    return await _told(session, CountCancelled, count)


async def _open_count(context: PostingContext, session: AsyncSession, count_id: int) -> Count:
    count = await queries.lock_count(session, count_id)
    if count is None:
        raise NotFound()
    await context.warehouse(count.warehouse_id)
    if count.status != "open":
        raise InvalidState("stock count", count.status, ["open"])
    return count


async def _told(session: AsyncSession, event: type[CountState], count: Count) -> StockCountResponse:
    await session.flush()
    view = await queries.view_of(session, count)
    outbox.add(session, event(**dict(view) | {"lines": view.lines[:LINES_TOLD]}))
    return view
