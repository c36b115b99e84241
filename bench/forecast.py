"""Accuracy of demand forecasts with real data: the last week is held out and forecast from the days before it.

Compares ours (TSB with limited bulk orders, weekday factors of the whole shop) with two naive forecasts: the same
weekday of the previous week, and the previous day. Errors are per product and day, over all products sold before the
week held out. `make bench FILE=invoices.csv.gz` selects the data.
"""

import csv
import gzip
import os
from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import date, timedelta
from math import sqrt
from pathlib import Path

from bench.figures import Figure, report, under
from stockbuddy.stock.insights.forecasting.tsb import LEVEL, fit, forecast_day, forecast_days, weekday_factors

HELD_OUT_DAYS = 7

Forecast = Callable[[Sequence[float]], Sequence[float]]


def daily_demand(file: Path) -> tuple[dict[str, list[float]], date]:
    """Units sold per product and day, without cancellations, over all days of the file; and its first day."""
    sold: dict[str, dict[date, float]] = defaultdict(lambda: defaultdict(float))
    with gzip.open(file, "rt") if file.suffix == ".gz" else file.open() as lines:
        for line in csv.DictReader(lines):
            quantity = float(line["Quantity"])
            if quantity > 0 and not line["InvoiceNo"].startswith("C"):
                sold[line["StockCode"]][date.fromisoformat(line["InvoiceDate"][:10])] += quantity
    days = sorted({day for by_day in sold.values() for day in by_day})
    every_day = [days[0] + timedelta(days=n) for n in range((days[-1] - days[0]).days + 1)]
    return {product: [by_day[day] for day in every_day] for product, by_day in sold.items()}, days[0]


def main() -> None:
    file = os.environ.get("FILE")
    if file is None:
        return print("Skipped: set FILE=invoices.csv.gz")
    demand, first = daily_demand(Path(file))
    known = {product: (days[:-HELD_OUT_DAYS], days[-HELD_OUT_DAYS:]) for product, days in demand.items()}
    known = {product: halves for product, halves in known.items() if any(halves[0])}
    factors = factors_ahead([before for before, _ in known.values()], first)
    print(f"{len(known)} products, {sum(map(sold_days, known.values()))} product days with sales, "
          f"{HELD_OUT_DAYS} of {len(next(iter(demand.values())))} days held out")  # fmt: skip
    forecasts: dict[str, Forecast] = {
        "ours": lambda before: [forecast_day(fit(before), factor).mean for factor in factors],
        "naive, a week before": lambda before: before[-7:],
        "naive, the day before": lambda before: [before[-1]] * HELD_OUT_DAYS,
    }
    errors = {name: error_of(forecast, list(known.values())) for name, forecast in forecasts.items()}
    for number, measure in enumerate(("MAE of days", "RMSE of days", "MAE of the week")):
        detail = ", ".join(f"{name} {errors[name][number]:.3f}" for name in forecasts)
        ratio = errors["ours"][number] / errors["naive, a week before"][number]
        report(
            Figure(
                "forecast", f"{measure}, {HELD_OUT_DAYS} days held out", ratio, "of the week before's", under(1), detail
            )
        )
    print_coverage(list(known.values()), factors)


def factors_ahead(histories: Sequence[Sequence[float]], first: date) -> list[float]:
    """The weekday factor of each day held out, computed from the days before."""
    totals = [sum(day) for day in zip(*histories, strict=True)]
    factors = weekday_factors(totals, first.weekday())
    return [factors[(first.weekday() + len(totals) + ahead) % 7] for ahead in range(HELD_OUT_DAYS)]


def error_of(forecast: Forecast, known: Sequence[tuple[list[float], list[float]]]) -> tuple[float, float, float]:
    """Mean absolute and root mean square error of the days, and mean absolute error of the whole week."""
    misses: list[float] = []
    weeks: list[float] = []
    for before, after in known:
        expected = forecast(before)
        misses += [guess - actual for guess, actual in zip(expected, after, strict=True)]
        weeks.append(abs(sum(expected) - sum(after)))
    root = sqrt(sum(miss * miss for miss in misses) / len(misses))
    return sum(map(abs, misses)) / len(misses), root, sum(weeks) / len(weeks)


def print_coverage(known: Sequence[tuple[list[float], list[float]]], factors: Sequence[float]) -> None:
    days = weeks = 0
    for before, after in known:
        demand = fit(before)
        bounds = [forecast_day(demand, factor) for factor in factors]
        days += sum(bound.low <= actual <= bound.high for bound, actual in zip(bounds, after, strict=True))
        week = forecast_days(demand, factors)
        weeks += week.low <= sum(after) <= week.high
    print(f"within the bounds of {LEVEL:.0%}: {days / len(known) / HELD_OUT_DAYS:.0%} of days, "
          f"{weeks / len(known):.0%} of weeks")  # fmt: skip


def sold_days(halves: tuple[list[float], list[float]]) -> int:
    return sum(quantity > 0 for half in halves for quantity in half)


if __name__ == "__main__":
    main()
