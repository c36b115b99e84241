"""The products of a history, with the opening stock that makes every sale possible."""

from collections import Counter, defaultdict
from dataclasses import dataclass
from decimal import Decimal

from stockbuddy.embedded.replay.cancellations import ReturnedLine
from stockbuddy.embedded.replay.history import History


@dataclass(frozen=True, slots=True)
class Product:
    """`name` and `unit_price`: the most frequent ones in the file; `opening_stock`: its largest shortfall."""

    sku: str
    name: str
    unit_price: Decimal
    opening_stock: Decimal


def plan_products(history: History, returns: dict[str, list[ReturnedLine]]) -> list[Product]:
    """In the order of their first sale. Products that appear in cancellations only are left out."""
    names: dict[str, Counter[str]] = defaultdict(Counter)
    prices: dict[str, Counter[Decimal]] = defaultdict(Counter)
    balance: dict[str, Decimal] = defaultdict(Decimal)
    lowest: dict[str, Decimal] = defaultdict(Decimal)
    for invoice in history.invoices:
        if invoice.is_cancellation:
            for part in returns[invoice.number]:
                balance[part.line.sku] += part.quantity
            continue
        for line in invoice.lines:
            names[line.sku][line.name] += 1
            prices[line.sku][line.unit_price] += 1
            balance[line.sku] -= line.quantity
            lowest[line.sku] = min(lowest[line.sku], balance[line.sku])
    return [
        Product(sku, names[sku].most_common(1)[0][0], prices[sku].most_common(1)[0][0], -lowest[sku]) for sku in names
    ]
