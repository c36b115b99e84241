"""Places a draft order, so that its lines count as incoming, or cancels an order, so that they no longer do."""

from decimal import Decimal

from stockbuddy.contracts.stock import PurchaseCancelled, PurchaseOrdered, PurchaseState
from stockbuddy.stock.documents.purchase_orders.queries import load_order
from stockbuddy.stock.documents.purchase_orders.schemas import PurchaseOrderResponse
from stockbuddy.stock.documents.responses import document_response
from stockbuddy.stock.errors import InvalidState
from stockbuddy.stock.inventory.posting_context import PostingContext
from stockbuddy.stock.ledger import (
    ZERO,
    DocumentChanges,
    Entry,
    LevelKey,
    Posting,
    PostingResult,
    Purpose,
    VersionCheck,
    row_of,
)
from stockbuddy.stock.replicas.products.activity import require_active

CANCELLABLE = ("draft", "ordered", "partially_received")


async def plan_placement(context: PostingContext, order_id: int) -> Posting:
    """Raises NotFound, WarehouseForbidden, InvalidState, ProductInactive."""
    order = await load_order(context, order_id)
    if order.status != "draft":
        raise InvalidState("purchase order", order.status, ["draft"])
    product_ids = [line.product_id for line in order.lines]
    require_active((await context.products.load(product_ids, include_deleted=product_ids)).values())
    # Entries without a change: they create the levels that `incoming` is reported on, in an active warehouse.
    entries = [Entry(LevelKey(line.product_id, order.warehouse_id)) for line in order.lines]
    outstanding = {line.id: line.quantity for line in order.lines}
    return _to_posting(context, order, "ordered", PurchaseOrdered, entries, outstanding)


async def plan_cancellation(context: PostingContext, order_id: int) -> Posting:
    """Raises NotFound, WarehouseForbidden, InvalidState."""
    order = await load_order(context, order_id)
    if order.status not in CANCELLABLE:
        raise InvalidState("purchase order", order.status, CANCELLABLE)
    return _to_posting(context, order, "cancelled", PurchaseCancelled, [], {line.id: ZERO for line in order.lines})


def _to_posting(
    context: PostingContext,
    order: PurchaseOrderResponse,
    status: str,
    event: type[PurchaseState],
    entries: list[Entry],
    outstanding: dict[int, Decimal],
) -> Posting:
    def build_changes(result: PostingResult) -> DocumentChanges:
        lines = [line.model_copy(update={"outstanding": outstanding[line.id]}) for line in order.lines]
        times = {f"{status}_at": result.recorded_at, "updated_at": result.recorded_at}
        after = order.model_copy(update={"version": order.version + 1, "status": status, "lines": lines, **times})
        return DocumentChanges(
            document_response(200, after),
            updates={
                "purchase_order": [row_of(after, "id", "status", *times)],
                "purchase_order_line": [row_of(line, "id", "outstanding") for line in lines],
            },
            events=[event.model_construct(**dict(after))],
        )

    return Posting(
        entries,
        build_changes,
        context.authority(Purpose.PURCHASE),
        context.key,
        checks=[VersionCheck("purchase_order", order.id, order.version)],
    )
