"""An order goes out and counts as incoming, or is cancelled and counts no longer."""

from decimal import Decimal

from stockbuddy.chassis.http.errors import NotFound
from stockbuddy.chassis.http.idempotency import StoredResponse
from stockbuddy.contracts.stock import PurchaseCancelled, PurchaseOrdered, PurchaseState
from stockbuddy.stock.documents.purchase_orders.queries import find_order
from stockbuddy.stock.documents.purchase_orders.schemas import PurchaseOrderResponse
from stockbuddy.stock.errors import InvalidState
from stockbuddy.stock.inventory.posting_context import PostingContext
from stockbuddy.stock.ledger import ZERO, DocumentChanges, Entry, LevelKey, Posting, PostingResult, Row, VersionCheck

CANCELLABLE = ("draft", "ordered", "partially_received")


async def place_order(context: PostingContext, order_id: int) -> Posting:
    """Raises NotFound, WarehouseForbidden, InvalidState."""
    order = await order_at_hand(context, order_id)
    if order.status != "draft":
        raise InvalidState("purchase order", order.status, ["draft"])
    # Entries that move nothing: what is incoming has a level to be shown with, in a warehouse that is still open.
    entries = [Entry(LevelKey(line.product_id, order.warehouse_id)) for line in order.lines]
    return _step(context, order, entries, PurchaseOrdered, "ordered")


async def cancel_order(context: PostingContext, order_id: int) -> Posting:
    """Raises NotFound, WarehouseForbidden, InvalidState."""
    order = await order_at_hand(context, order_id)
    if order.status not in CANCELLABLE:
        raise InvalidState("purchase order", order.status, CANCELLABLE)
    return _step(context, order, [], PurchaseCancelled, "cancelled")


async def order_at_hand(context: PostingContext, order_id: int) -> PurchaseOrderResponse:
    """The order, if the caller may write in its warehouse. Raises NotFound, WarehouseForbidden."""
    async with context.database.reading() as session:
        order = await find_order(session, order_id)
    if order is None:
        raise NotFound()
    await context.warehouse(order.warehouse_id)
    return order


def _step(
    context: PostingContext, order: PurchaseOrderResponse, entries: list[Entry], event: type[PurchaseState], status: str
) -> Posting:
    return Posting(
        entries,
        lambda result: _build_changes(result, order, event, status),
        context.key,
        checks=[VersionCheck("purchase_order", order.id, order.version)],
    )


def _build_changes(
    result: PostingResult, order: PurchaseOrderResponse, event: type[PurchaseState], status: str
) -> DocumentChanges:
    lines = [
        line.model_copy(update={"outstanding": line.quantity if status == "ordered" else ZERO}) for line in order.lines
    ]
    stamps = {f"{status}_at": result.recorded_at, "updated_at": result.recorded_at}
    after = order.model_copy(update={"version": order.version + 1, "status": status, **stamps, "lines": lines})
    rows: list[Row] = [{"id": line.id, "outstanding": line.outstanding} for line in lines]
    return DocumentChanges(
        StoredResponse(200, after.model_dump_json()),
        updates={"purchase_order": [{"id": order.id, "status": status, **stamps}], "purchase_order_line": rows},
        events=[event.model_construct(**dict(after))],
    )


def outstanding(quantity: Decimal, received: Decimal) -> Decimal:
    """What is still to come of a line."""
    return max(quantity - received, ZERO)
