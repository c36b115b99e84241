"""Finds what each cancellation cancels: the file does not say, so it is the newest earlier sale to the same customer
that still has that many units of the product, at the same price if there is one."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from stockbuddy.embedded.replay.history import History, Invoice, Line

NOTHING_TO_CANCEL = "cancels more than this file sold to that customer"


@dataclass(frozen=True, slots=True)
class ReturnedLine:
    """Units of `line` (of a cancellation) that go back to `position`, the place of a line in `sale`."""

    line: Line
    sale: Invoice
    position: int
    quantity: Decimal


@dataclass(slots=True)
class _Sold:
    sale: Invoice
    position: int
    unit_price: Decimal
    left: Decimal


def match_cancellations(history: History) -> dict[str, list[ReturnedLine]]:
    """What each cancelling invoice returns, by its number. Lines that cancel nothing known move to the refusals,
    whole: half a line would make the file's count of lines meaningless."""
    sold: dict[tuple[str, str | None], list[_Sold]] = defaultdict(list)
    returns: dict[str, list[ReturnedLine]] = {}
    for invoice in history.invoices:
        if not invoice.is_cancellation:
            for position, line in enumerate(invoice.lines):
                sold[line.sku, line.customer].append(_Sold(invoice, position, line.unit_price, line.quantity))
            continue
        matched = returns[invoice.number] = []
        for line in list(invoice.lines):
            parts = list(_take(line, sold[line.sku, line.customer]))
            if parts:
                matched.extend(parts)
            else:
                history.refused[line.number] = NOTHING_TO_CANCEL
                invoice.lines.remove(line)
    return returns


def _take(line: Line, sold: list[_Sold]) -> Iterable[ReturnedLine]:
    """Newest first, the same price before others; nothing at all when there is not enough."""
    if sum((s.left for s in sold), Decimal()) < line.quantity:
        return
    wanted = line.quantity
    newest_first = list(reversed(sold))
    for candidate in sorted(newest_first, key=lambda s: s.unit_price != line.unit_price):
        taken = min(wanted, candidate.left)
        if taken:
            candidate.left -= taken
            wanted -= taken
            yield ReturnedLine(line, candidate.sale, candidate.position, taken)
        if not wanted:
            return
