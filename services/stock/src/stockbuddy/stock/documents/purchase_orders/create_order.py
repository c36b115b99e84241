"""Creates draft purchase orders."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from stockbuddy.chassis.http.idempotency import StoredResponse
from stockbuddy.contracts.stock import PurchaseDrafted, PurchaseLine
from stockbuddy.stock.documents.lines import header_row, line_rows
from stockbuddy.stock.documents.purchase_orders.costed_lines import CostedLine, load_costed_lines, total_of
from stockbuddy.stock.documents.purchase_orders.schemas import PurchaseOrderCreate
from stockbuddy.stock.documents.responses import document_response
from stockbuddy.stock.inventory.posting_context import PostingContext
from stockbuddy.stock.inventory.warehouses.warehouse_cache import WarehouseEntry
from stockbuddy.stock.ledger import ZERO, DocumentChanges, Posting, PostingResult, Purpose, Row
from stockbuddy.stock.replicas.suppliers import Supplier

DETAIL_FIELDS = {"reference", "notes", "expected_at"}


@dataclass(frozen=True, slots=True)
class OrderDraft:
    """A validated draft. `details`: the fields in DETAIL_FIELDS."""

    supplier: Supplier
    warehouse: WarehouseEntry
    lines: Sequence[CostedLine]
    details: Mapping[str, Any]


ToResponse = Callable[[Sequence[PurchaseDrafted]], StoredResponse]


async def plan_order(context: PostingContext, body: PurchaseOrderCreate) -> Posting:
    """Raises UnknownSupplier, UnknownProduct, UnknownWarehouse, WarehouseForbidden, Unprocessable."""
    warehouse = await context.warehouse(body.warehouse_reference)
    supplier = await context.suppliers.load(body.supplier_id)
    lines = await load_costed_lines(context, body.lines)
    draft = OrderDraft(supplier, warehouse, lines, body.model_dump(include=DETAIL_FIELDS))
    return to_posting(context, [draft], lambda orders: document_response(201, orders[0]))


def to_posting(context: PostingContext, drafts: Sequence[OrderDraft], to_response: ToResponse) -> Posting:
    """Creates all of the drafts or none. There are no entries: a draft moves no stock."""

    def build_changes(result: PostingResult) -> DocumentChanges:
        line_ids = iter(result.ids["purchase_order_line"])
        orders = [
            _build_order(result, context, draft, order_id, line_ids)
            for order_id, draft in zip(result.ids["purchase_order"], drafts, strict=True)
        ]
        inserts = {
            "purchase_order": [header_row(order) for order in orders],
            "purchase_order_line": [row for order in orders for row in _line_rows(order)],
        }
        return DocumentChanges(to_response(orders), inserts, events=orders)

    new_ids = {"purchase_order": len(drafts), "purchase_order_line": sum(len(draft.lines) for draft in drafts)}
    return Posting(
        [],
        build_changes,
        context.authority(Purpose.PURCHASE),
        context.key,
        refers_to=frozenset(draft.warehouse.id for draft in drafts),
        new_ids=new_ids,
    )


def _build_order(
    result: PostingResult, context: PostingContext, draft: OrderDraft, order_id: int, line_ids: Iterator[int]
) -> PurchaseDrafted:
    return PurchaseDrafted.model_construct(
        id=order_id,
        version=1,
        number=f"PO-{order_id:06d}",
        status="draft",
        supplier_id=draft.supplier.id,
        supplier=draft.supplier.name,
        warehouse_id=draft.warehouse.id,
        **draft.details,
        total=total_of(draft.lines),
        received_total=ZERO,
        created_by=context.caller.user_id,
        created_at=result.recorded_at,
        updated_at=result.recorded_at,
        ordered_at=None,
        received_at=None,
        cancelled_at=None,
        lines=[_build_line(next(line_ids), line) for line in draft.lines],
    )


def _build_line(line_id: int, line: CostedLine) -> PurchaseLine:
    return PurchaseLine.model_construct(
        id=line_id,
        product_id=line.product.id,
        sku=line.product.sku,
        name=line.product.name,
        quantity=line.quantity,
        unit_cost=line.unit_cost,
        total=line.total,
        received=ZERO,
        outstanding=ZERO,
    )


def _line_rows(order: PurchaseDrafted) -> list[Row]:
    return line_rows(order.lines, purchase_order_id=order.id, warehouse_id=order.warehouse_id, over_received=False)
