"""An order goes out and counts as incoming, or is cancelled and counts no longer."""

from decimal import Decimal

from stockbuddy.chassis.http.errors import NotFound
from stockbuddy.chassis.http.idempotency import Answer
from stockbuddy.contracts.stock import PurchaseCancelled, PurchaseOrdered, PurchaseState
from stockbuddy.stock.documents.purchase_orders.queries import find_order
from stockbuddy.stock.documents.purchase_orders.schemas import PurchaseView
from stockbuddy.stock.errors import PurchaseOrderNotOpen
from stockbuddy.stock.http.posting_context import Desk
from stockbuddy.stock.ledger import ZERO, Conclusion, Effect, Entry, Guard, LevelKey, Posting, Row


async def place_order(desk: Desk, order_id: int) -> Posting:
    """Raises NotFound, NotYourWarehouse, PurchaseOrderNotOpen."""
    order = await order_at_hand(desk, order_id)
    if order.status != "draft":
        raise PurchaseOrderNotOpen(order.status)
    # Entries that move nothing: what is incoming has a level to be shown with, in a warehouse that is still open.
    entries = [Entry(LevelKey(line.product_id, order.warehouse_id)) for line in order.lines]
    return _step(desk, order, entries, PurchaseOrdered, "ordered")


async def cancel_order(desk: Desk, order_id: int) -> Posting:
    """Raises NotFound, NotYourWarehouse, PurchaseOrderNotOpen."""
    order = await order_at_hand(desk, order_id)
    if order.status not in ("draft", "ordered", "partially_received"):
        raise PurchaseOrderNotOpen(order.status)
    return _step(desk, order, [], PurchaseCancelled, "cancelled")


async def order_at_hand(desk: Desk, order_id: int) -> PurchaseView:
    """The order, if the caller may write in its warehouse. Raises NotFound, NotYourWarehouse."""
    async with desk.database.reading() as session:
        order = await find_order(session, order_id)
    if order is None:
        raise NotFound()
    await desk.warehouse(order.warehouse_id)
    return order


def _step(desk: Desk, order: PurchaseView, entries: list[Entry], event: type[PurchaseState], status: str) -> Posting:
    return Posting(
        entries,
        lambda effect: _conclude(effect, order, event, status),
        desk.key,
        guards=[Guard("purchase_order", order.id, order.version)],
    )


def _conclude(effect: Effect, order: PurchaseView, event: type[PurchaseState], status: str) -> Conclusion:
    lines = [
        line.model_copy(update={"outstanding": line.quantity if status == "ordered" else ZERO}) for line in order.lines
    ]
    stamps = {f"{status}_at": effect.recorded_at, "updated_at": effect.recorded_at}
    after = order.model_copy(update={"version": order.version + 1, "status": status, **stamps, "lines": lines})
    rows: list[Row] = [{"id": line.id, "outstanding": line.outstanding} for line in lines]
    return Conclusion(
        Answer(200, after.model_dump_json()),
        updates={"purchase_order": [{"id": order.id, "status": status, **stamps}], "purchase_order_line": rows},
        events=[event.model_construct(**dict(after))],
    )


def outstanding(quantity: Decimal, received: Decimal) -> Decimal:
    """What is still to come of a line."""
    return max(quantity - received, ZERO)
