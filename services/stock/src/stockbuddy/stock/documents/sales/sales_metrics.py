"""Prometheus metrics of sales, counted when their transaction has committed. They are floats, for trends; reports have
the exact amounts."""

from collections.abc import Sequence

from prometheus_client import Counter

from stockbuddy.contracts.event import Event
from stockbuddy.contracts.stock import SaleCompleted, SaleReturned, SaleVoided

SALES = Counter("stockbuddy_sales_total", "Completed sales.")
TURNOVER = Counter("stockbuddy_sales_turnover_total", "Totals of completed sales, in the currency of the system.")
REFUNDS = Counter("stockbuddy_sales_refunds_total", "Amounts of returns and voids, in the currency of the system.")


def count_sales(events: Sequence[Event]) -> None:
    """`events`: of one document that was committed."""
    for event in events:
        if isinstance(event, SaleCompleted):
            SALES.inc()
            TURNOVER.inc(float(event.total))
        elif isinstance(event, SaleReturned):
            REFUNDS.inc(float(sum(line.amount for line in event.returned)))
        elif isinstance(event, SaleVoided):
            REFUNDS.inc(float(event.total))
