"""Turns suggestions into purchase orders: one draft per supplier and warehouse, all of them or none."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from zoneinfo import ZoneInfo

from stockbuddy.chassis.http.errors import Unprocessable
from stockbuddy.chassis.http.idempotency import Answer
from stockbuddy.stock.documents.purchase_orders.drafting import (
    CostedLine,
    cost_line,
    drafted,
    refuse_absurd_total,
    rows_of,
)
from stockbuddy.stock.documents.purchase_orders.schemas import PurchaseView
from stockbuddy.stock.http.posting_context import Desk
from stockbuddy.stock.insights.reordering.schemas import (
    OrderedSuggestion,
    SuggestionOrder,
    SuggestionsOrdered,
    SuggestionView,
)
from stockbuddy.stock.insights.reordering.suggestions import suggest_orders
from stockbuddy.stock.inventory.warehouses.warehouse_cache import WarehouseEntry
from stockbuddy.stock.ledger import Conclusion, Effect, Posting
from stockbuddy.stock.replicas.products.queries import ProductReplica
from stockbuddy.stock.replicas.suppliers.lookup import supplier_named
from stockbuddy.stock.replicas.suppliers.model import Supplier

Group = tuple[Supplier, WarehouseEntry, list[CostedLine]]
Suggested = dict[tuple[int, int], SuggestionView]


async def draft_suggested(desk: Desk, zone: ZoneInfo, wanted: SuggestionOrder) -> Posting:
    """Raises UnknownProduct, UnknownWarehouse, UnknownSupplier, NotYourWarehouse, Unprocessable."""
    known = await desk.products.find([line.product_reference for line in wanted.lines])
    products = [known[line.product_reference] for line in wanted.lines]
    async with desk.database.reading() as session:
        found = await suggest_orders(session, zone, product_ids=sorted({product.id for product in products}))
    suggested = {(suggestion.product_id, suggestion.warehouse_id): suggestion for suggestion in found}
    groups: dict[tuple[int, int], Group] = {}
    for position, (line, product) in enumerate(zip(wanted.lines, products, strict=True)):
        warehouse = await desk.warehouse(line.warehouse_reference)
        suggestion = suggested.get((product.id, warehouse.id))
        supplier = await supplier_named(desk.database, _supplier_id(position, line, product, suggestion))
        group = groups.setdefault((supplier.id, warehouse.id), (supplier, warehouse, []))
        group[2].append(_line(position, line, product, suggestion))
    for _, _, lines in groups.values():
        refuse_absurd_total(lines)
    words = wanted.model_dump(include={"expected_at", "reference", "notes"})
    return _posting(desk, list(groups.values()), words)


def _supplier_id(
    position: int, line: OrderedSuggestion, product: ProductReplica, suggestion: SuggestionView | None
) -> int:
    suggested = product.supplier_id if suggestion is None else suggestion.supplier_id
    supplier_id = suggested if line.supplier_id is None else line.supplier_id
    if supplier_id is None:
        raise Unprocessable.field(f"lines.{position}.supplier_id", "is needed: the product has no supplier")
    return supplier_id


def _line(
    position: int, line: OrderedSuggestion, product: ProductReplica, suggestion: SuggestionView | None
) -> CostedLine:
    quantity, unit_cost = line.quantity, line.unit_cost
    if suggestion is not None:
        quantity = suggestion.quantity if quantity is None else quantity
        unit_cost = suggestion.unit_cost if unit_cost is None else unit_cost
    if quantity is None:
        raise Unprocessable.field(f"lines.{position}.quantity", "is needed: nothing is suggested for this product now")
    return cost_line(position, product, quantity, unit_cost)


def _posting(desk: Desk, groups: Sequence[Group], words: dict[str, Any]) -> Posting:
    return Posting(
        [],
        lambda effect: _conclude(effect, desk, groups, words),
        desk.key,
        new_ids={"purchase_order": len(groups), "purchase_order_line": sum(len(lines) for _, _, lines in groups)},
    )


def _conclude(effect: Effect, desk: Desk, groups: Sequence[Group], words: dict[str, Any]) -> Conclusion:
    orders = []
    first_line = 0
    for index, (supplier, warehouse, lines) in enumerate(groups):
        orders.append(drafted(effect, index, desk, supplier, warehouse, lines, words, first_line))
        first_line += len(lines)
    views = [PurchaseView.model_construct(**dict(order)) for order in orders]
    answer = SuggestionsOrdered.model_construct(purchase_orders=views)
    return Conclusion(Answer(201, answer.model_dump_json()), inserts=rows_of(orders), events=orders)
