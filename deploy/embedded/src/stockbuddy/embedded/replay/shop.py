"""What the shop must hold before its first invoice: its products, and stock enough for every sale that follows."""

from collections import Counter, defaultdict
from dataclasses import dataclass
from decimal import Decimal

from stockbuddy.embedded.replay.cancellations import ReturnedLine
from stockbuddy.embedded.replay.history import History


@dataclass(frozen=True, slots=True)
class Product:
    """`name` and `unit_price` are those that the file uses most; `opening` is its deepest shortfall."""

    sku: str
    name: str
    unit_price: Decimal
    opening: Decimal


def products_of(history: History, returns: dict[str, list[ReturnedLine]]) -> list[Product]:
    """In the order of their first sale. A product that is only ever cancelled was never sold here."""
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
