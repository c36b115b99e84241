"""Creates draft purchase orders from suggestions, one per supplier and warehouse, all in one transaction."""

from __future__ import annotations

from collections.abc import Sequence
from zoneinfo import ZoneInfo

from stockbuddy.chassis.http.errors import Unprocessable
from stockbuddy.chassis.http.idempotency import StoredResponse
from stockbuddy.contracts.stock import PurchaseDrafted
from stockbuddy.stock.documents.purchase_orders.costed_lines import CostedLine, cost_line, require_recordable_total
from stockbuddy.stock.documents.purchase_orders.create_order import DETAIL_FIELDS, OrderDraft, to_posting
from stockbuddy.stock.documents.purchase_orders.schemas import PurchaseOrderResponse
from stockbuddy.stock.insights.reordering.schemas import (
    OrderSuggestions,
    OrderSuggestionsLine,
    OrderSuggestionsResponse,
)
from stockbuddy.stock.insights.reordering.suggestions import Suggestion, compute_suggestions
from stockbuddy.stock.inventory.posting_context import PostingContext
from stockbuddy.stock.inventory.warehouses.warehouse_cache import WarehouseEntry
from stockbuddy.stock.ledger import Posting
from stockbuddy.stock.replicas.products.activity import require_active
from stockbuddy.stock.replicas.products.model import ProductReplica
from stockbuddy.stock.replicas.suppliers import Supplier

OrderGroup = tuple[Supplier, WarehouseEntry, list[CostedLine]]


async def plan_suggested_orders(context: PostingContext, zone: ZoneInfo, body: OrderSuggestions) -> Posting:
    """Raises UnknownProduct, ProductInactive, UnknownWarehouse, UnknownSupplier, WarehouseForbidden, Unprocessable."""
    by_reference = await context.products.load([line.product_reference for line in body.lines])
    products = [by_reference[line.product_reference] for line in body.lines]
    require_active(products)
    async with context.database.reading() as session:
        current = await compute_suggestions(session, zone, product_ids=sorted({product.id for product in products}))
    suggestions = {(one.candidate.product_id, one.candidate.warehouse_id): one for one in current}
    groups: dict[tuple[int, int], OrderGroup] = {}
    for position, (line, product) in enumerate(zip(body.lines, products, strict=True)):
        warehouse = await context.warehouse(line.warehouse_reference)
        suggestion = suggestions.get((product.id, warehouse.id))
        supplier = await context.suppliers.load(_supplier_id(position, line, product, suggestion))
        _, _, lines = groups.setdefault((supplier.id, warehouse.id), (supplier, warehouse, []))
        lines.append(_to_costed_line(position, line, product, suggestion))
    for _, _, lines in groups.values():
        require_recordable_total(lines)
    details = body.model_dump(include=DETAIL_FIELDS)
    drafts = [OrderDraft(supplier, warehouse, lines, details) for supplier, warehouse, lines in groups.values()]
    return to_posting(context, drafts, _to_response)


def _supplier_id(
    position: int, line: OrderSuggestionsLine, product: ProductReplica, suggestion: Suggestion | None
) -> int:
    suggested = product.supplier_id if suggestion is None else suggestion.candidate.supplier_id
    supplier_id = suggested if line.supplier_id is None else line.supplier_id
    if supplier_id is None:
        raise Unprocessable.field(
            f"lines.{position}.supplier_id", "is required: the product has no supplier", "missing"
        )
    return supplier_id


def _to_costed_line(
    position: int, line: OrderSuggestionsLine, product: ProductReplica, suggestion: Suggestion | None
) -> CostedLine:
    quantity, unit_cost = line.quantity, line.unit_cost
    if suggestion is not None:
        quantity = suggestion.recommendation.quantity if quantity is None else quantity
        unit_cost = suggestion.unit_cost if unit_cost is None else unit_cost
    if quantity is None:
        raise Unprocessable.field(
            f"lines.{position}.quantity", "is required: there is no suggestion for this product", "missing"
        )
    return cost_line(position, product, quantity, unit_cost)


def _to_response(orders: Sequence[PurchaseDrafted]) -> StoredResponse:
    purchase_orders = [PurchaseOrderResponse.model_construct(**dict(order)) for order in orders]
    body = OrderSuggestionsResponse.model_construct(purchase_orders=purchase_orders)
    return StoredResponse(201, body.model_dump_json())
