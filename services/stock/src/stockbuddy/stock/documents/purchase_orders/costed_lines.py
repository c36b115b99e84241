"""Lines of a purchase order with their final cost."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from stockbuddy.chassis.http.errors import Unprocessable
from stockbuddy.stock.documents.pricing import MAX_AMOUNT, TOO_LARGE, line_amount, minor_unit
from stockbuddy.stock.documents.purchase_orders.schemas import PurchaseOrderLineCreate
from stockbuddy.stock.inventory.posting_context import PostingContext
from stockbuddy.stock.ledger import ZERO
from stockbuddy.stock.replicas.products.activity import require_active
from stockbuddy.stock.replicas.products.model import ProductReplica


@dataclass(frozen=True, slots=True)
class CostedLine:
    product: ProductReplica
    quantity: Decimal
    unit_cost: Decimal
    total: Decimal


async def load_costed_lines(context: PostingContext, lines: Sequence[PurchaseOrderLineCreate]) -> list[CostedLine]:
    """Raises UnknownProduct, ProductInactive, Unprocessable."""
    products = await context.products.load([line.product_reference for line in lines])
    require_active(products.values())
    costed = [
        cost_line(index, products[line.product_reference], line.quantity, line.unit_cost)
        for index, line in enumerate(lines)
    ]
    require_recordable_total(costed)
    return costed


def cost_line(index: int, product: ProductReplica, quantity: Decimal, unit_cost: Decimal | None) -> CostedLine:
    """At `unit_cost`, or else at the product's cost price. Raises Unprocessable."""
    unit_cost = product.cost_price if unit_cost is None else unit_cost
    if unit_cost is None:
        raise Unprocessable.field(f"lines.{index}.unit_cost", "is required: the product has no cost price", "missing")
    try:
        total = line_amount(quantity, unit_cost, minor_unit(product.currency))
    except ValueError as error:
        raise Unprocessable.field(f"lines.{index}.unit_cost", error) from error
    return CostedLine(product, quantity, unit_cost, total)


def require_recordable_total(lines: Sequence[CostedLine]) -> None:
    """Raises Unprocessable if the total of the lines is too large to be stored."""
    if total_of(lines) >= MAX_AMOUNT:
        raise Unprocessable.field("lines", TOO_LARGE, "amount_too_large")


def total_of(lines: Sequence[CostedLine]) -> Decimal:
    return sum((line.total for line in lines), ZERO)
