"""Updates a draft purchase order."""

from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.chassis.http.etags import require_match, version_etag
from stockbuddy.chassis.http.sessions import get_or_404
from stockbuddy.chassis.messaging import outbox
from stockbuddy.chassis.runtime import clock
from stockbuddy.contracts.stock import PurchaseUpdated
from stockbuddy.stock.documents.purchase_orders import queries
from stockbuddy.stock.documents.purchase_orders.costed_lines import CostedLine, load_costed_lines, total_of
from stockbuddy.stock.documents.purchase_orders.model import PurchaseOrder, PurchaseOrderLine
from stockbuddy.stock.documents.purchase_orders.schemas import PurchaseOrderResponse, PurchaseOrderUpdate
from stockbuddy.stock.errors import InvalidState
from stockbuddy.stock.inventory.posting_context import PostingContext
from stockbuddy.stock.ledger import ZERO


async def update_order(
    context: PostingContext, session: AsyncSession, order_id: int, body: PurchaseOrderUpdate, if_match: str | None
) -> PurchaseOrderResponse:
    """Raises NotFound, UnknownSupplier, UnknownProduct, WarehouseForbidden, PreconditionFailed, InvalidState,
    Unprocessable."""
    changes = body.sent_fields()
    # Loaded before the order is locked, because both may wait for replication.
    supplier = await context.suppliers.load(changes.pop("supplier_id")) if "supplier_id" in changes else None
    lines = await load_costed_lines(context, changes.pop("lines")) if "lines" in changes else None
    order = await _lock_draft(context, session, order_id, if_match)
    if supplier is not None:
        changes |= {"supplier_id": supplier.id, "supplier": supplier.name}
    if lines is not None:
        changes["total"] = total_of(lines)
        await queries.replace_lines(session, order.id, _new_lines(order, lines))
    for name, value in changes.items():
        setattr(order, name, value)
    order.version += 1
    order.updated_at = clock.now()
    await session.flush()
    response = await queries.get_order(session, order.id)
    outbox.add(session, PurchaseUpdated.model_construct(**dict(response)))
    return response


async def _lock_draft(
    context: PostingContext, session: AsyncSession, order_id: int, if_match: str | None
) -> PurchaseOrder:
    order = await get_or_404(session, PurchaseOrder, order_id, for_update=True)
    await context.warehouse(order.warehouse_id, session=session)
    require_match(if_match, version_etag(order.version))
    if order.status != "draft":
        raise InvalidState("purchase order", order.status, ["draft"])
    return order


def _new_lines(order: PurchaseOrder, lines: Sequence[CostedLine]) -> list[PurchaseOrderLine]:
    return [
        PurchaseOrderLine(
            purchase_order_id=order.id,
            position=position,
            product_id=line.product.id,
            warehouse_id=order.warehouse_id,
            sku=line.product.sku,
            name=line.product.name,
            quantity=line.quantity,
            unit_cost=line.unit_cost,
            total=line.total,
            received=ZERO,
            outstanding=ZERO,
            over_received=False,
        )
        for position, line in enumerate(lines)
    ]
