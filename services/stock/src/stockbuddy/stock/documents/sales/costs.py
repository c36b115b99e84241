"""Cost and profit of a sale: exact per line, rounded once for the whole sale."""

from collections.abc import Sequence
from decimal import Decimal

from stockbuddy.contracts.stock import SaleLine
from stockbuddy.stock.documents.pricing import round_cost
from stockbuddy.stock.documents.sales.schemas import SaleResponse
from stockbuddy.stock.ledger import ZERO, share_of


def line_cost(line: SaleLine) -> Decimal | None:
    """What the stock was worth when it was sold; lines of an earlier release have a unit cost only."""
    if line.cost is not None or line.unit_cost is None:
        return line.cost
    return line.quantity * line.unit_cost


def returned_cost(line: SaleLine, quantity: Decimal) -> Decimal | None:
    """The part of the line's cost that belongs to the next `quantity` returned; the parts of a line add up to it."""
    cost = line_cost(line)
    if cost is None:
        return None
    return share_of(cost, line.returned + quantity, line.quantity) - share_of(cost, line.returned, line.quantity)


def total_cost(lines: Sequence[SaleLine]) -> Decimal | None:
    """Of what was sold and did not come back; None if a unit cost is unknown."""
    costs = [cost - line.cost_returned for line in lines if (cost := line_cost(line)) is not None]
    return round_cost(sum(costs, ZERO)) if len(costs) == len(lines) else None


def with_totals(sale: SaleResponse, lines: Sequence[SaleLine]) -> SaleResponse:
    """The sale with `lines` after a return or void: its refunds, cost and profit."""
    refunded, cost = sum((line.refunded for line in lines), ZERO), total_cost(lines)
    profit = None if cost is None else sale.total - refunded - cost
    return sale.model_copy(update={"lines": lines, "refunded": refunded, "cost": cost, "profit": profit})
