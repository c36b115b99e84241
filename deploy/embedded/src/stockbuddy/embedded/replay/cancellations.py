"""Matches cancellations with sales. The file has no reference, so it is the newest earlier sale to the same customer
with that many units of the product left, preferably at the same price."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from stockbuddy.embedded.replay.history import History, Invoice, Line

NO_MATCHING_SALE = "cancels more than this file sold to that customer"


@dataclass(frozen=True, slots=True)
class ReturnedLine:
    """Units of `line` (of a cancellation) that are returned to the line at index `position` of `sale`."""

    line: Line
    sale: Invoice
    position: int
    quantity: Decimal


@dataclass(slots=True)
class _SoldLine:
    sale: Invoice
    position: int
    unit_price: Decimal
    remaining: Decimal


def match_cancellations(history: History) -> dict[str, list[ReturnedLine]]:
    """The returned lines by the number of the cancelling invoice. Lines without a matching sale are rejected whole,
    so that every line of the file is either posted or rejected."""
    sold: dict[tuple[str, str | None], list[_SoldLine]] = defaultdict(list)
    returns: dict[str, list[ReturnedLine]] = {}
    for invoice in history.invoices:
        if not invoice.is_cancellation:
            for position, line in enumerate(invoice.lines):
                sold[line.sku, line.customer].append(_SoldLine(invoice, position, line.unit_price, line.quantity))
            continue
        matched = returns[invoice.number] = []
        for line in list(invoice.lines):
            parts = list(_match(line, sold[line.sku, line.customer]))
            if parts:
                matched.extend(parts)
            else:
                history.rejected[line.number] = NO_MATCHING_SALE
                invoice.lines.remove(line)
    return returns


def _match(line: Line, sold: list[_SoldLine]) -> Iterable[ReturnedLine]:
    """Newest first, lines of the same price before others; nothing if the quantity is not available."""
    if sum((s.remaining for s in sold), Decimal()) < line.quantity:
        return
    missing = line.quantity
    newest_first = list(reversed(sold))
    for candidate in sorted(newest_first, key=lambda s: s.unit_price != line.unit_price):
        taken = min(missing, candidate.remaining)
        if taken:
            candidate.remaining -= taken
            missing -= taken
            yield ReturnedLine(line, candidate.sale, candidate.position, taken)
        if not missing:
            return
