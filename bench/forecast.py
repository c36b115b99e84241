"""Accuracy of demand forecasts: of generated series whose demand is known, and of real data.

Ours is compared with naive forecasts (the day before; the same weekday of the week before) and with TSB and auto-ETS of
statsforecast, which runs in an environment of its own (`bench.auto_ets`). MASE is the mean absolute error in units of
that of the same weekday of the week before, within the history. The interval score (Gneiting and Raftery, 2007,
https://doi.org/10.1198/016214506000001437) is scaled alike. Real data, `make bench FILE=invoices.csv.gz`: the last week
is held out.
"""

import csv
import gzip
import os
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import numpy as np

from bench.figures import Figure, at_least, report, under
from bench.generated_demand import SEED, SERIES, Generated, generated, generated_years
from stockbuddy.stock.insights.forecasting.outlook import LEVEL, Outlook, forecast
from stockbuddy.stock.insights.forecasting.series import DemandSeries, Floats
from stockbuddy.stock.insights.forecasting.weekday_factors import weekday_factors

HORIZON = 14
HISTORY_DAYS = 182
HELD_OUT_DAYS = 7
MAX_REAL_SERIES = 400
"""Of the real products, as many are compared with auto-ETS, evenly spaced: it takes 0.1 s for each."""
SERIES_OF_INTERVALS = 600
"""Of fewer series, the share of sums within their intervals says too little: of 60, its standard error is 5 %."""
MIN_ROWS = 70
Z = 1.2816
"""Half the width of an interval of LEVEL, in standard deviations."""
STATSFORECAST = "statsforecast==2.1.1"


@dataclass(frozen=True)
class Bounds:
    """Arrays (days, series)."""

    mean: Floats
    low: Floats
    high: Floats


@dataclass(frozen=True)
class Task:
    """What is forecast: `series` with the history, `actual` with the days after it; arrays (days, series)."""

    name: str
    series: DemandSeries
    actual: Floats

    @property
    def history(self) -> Floats:
        """From the first day on that is the first of every series."""
        return self.series.demand[int(self.series.starts.min()) :]

    @property
    def scale(self) -> Floats:
        history = self.history
        scale: Floats = np.abs(history[7:] - history[:-7]).mean(axis=0)
        return scale


def main() -> None:
    tasks = generated_tasks(SERIES, SEED)
    file = os.environ.get("FILE")
    if file is None:
        print("Without real data: set FILE=invoices.csv.gz")
    else:
        real = real_task(Path(file))
        report_weeks(real)
        step = -(-real.series.columns // MAX_REAL_SERIES)
        tasks.append(Task(real.name, real.series.part(np.arange(0, real.series.columns, step)), real.actual[:, ::step]))
    libraries = statsforecasts(tasks)
    for task in tasks:
        compare(task, libraries)
    report_intervals(generated_tasks(SERIES_OF_INTERVALS, SEED + 1))


def generated_tasks(series: int, seed: int) -> list[Task]:
    found = [
        *generated(HISTORY_DAYS, HORIZON, series=series, seed=seed),
        generated_years(HORIZON, series=series, seed=seed),
    ]
    return [to_task(one) for one in found]


def to_task(one: Generated) -> Task:
    days = len(one.sales) - HORIZON
    series = DemandSeries(
        one.sales[:days],
        np.zeros(one.sales.shape[1], np.int64),
        one.is_sold_out[:days],
        one.is_promoted[:days],
        np.ones(7),
    )
    return Task(one.name, series, one.demand[days:])


def compare(task: Task, libraries: Mapping[str, Floats]) -> None:
    ours = forecast(task.series, len(task.actual))
    forecasts = {"ours": Bounds(ours.mean, ours.low, ours.high), **naive_forecasts(task)}
    steps = slice(0, len(task.actual))
    if f"{task.name}/ets" in libraries:
        mean, low, high = (libraries[f"{task.name}/ets{part}"][steps] for part in ("", "-low", "-high"))
        past = np.quantile(task.history, [(1 - LEVEL) / 2, (1 + LEVEL) / 2], axis=0)
        forecasts["TSB"] = Bounds(libraries[f"{task.name}/tsb"][steps], past[[0]], past[[1]])
        forecasts["auto-ETS"] = Bounds(mean, low, high)
    errors = {name: mase(task, one.mean) for name, one in forecasts.items()}
    scores = {name: interval_score(task, one) for name, one in forecasts.items()}
    shares = {name: coverage(task.actual, one.low, one.high) for name, one in forecasts.items()}
    for what, found in (("MASE", errors), ("interval score", scores)):
        detail = ", ".join(f"{name} {value:.2f}" for name, value in found.items())
        best = min(value for name, value in found.items() if name != "ours")
        title = f"{task.name}: {what}, {len(task.actual)} days"
        report(Figure("forecast", title, found["ours"] / best, "of the best other's", None, detail))
    detail = ", ".join(f"{name} {share:.0%}" for name, share in shares.items())
    of_sums = coverage_of_sums(task, ours)
    title = f"{task.name}: days within 80 % intervals"
    report(Figure("forecast", title, 100 * shares["ours"], "%", None, f"{detail}; sums of all days {of_sums:.0%}"))


def report_intervals(tasks: Sequence[Task]) -> None:
    """How many days and sums of many series are within our intervals: the least and the most of any demand."""
    outlooks = [forecast(task.series, len(task.actual)) for task in tasks]
    pairs = list(zip(tasks, outlooks, strict=True))
    for what, found in (
        ("days", {task.name: coverage(task.actual, ours.low, ours.high) for task, ours in pairs}),
        ("sums of all days", {task.name: coverage_of_sums(task, ours) for task, ours in pairs}),
    ):
        detail = ", ".join(f"{name} {share:.0%}" for name, share in found.items())
        for bound, share, target in (
            ("least", min(found.values()), at_least(75)),
            ("most", max(found.values()), under(85)),
        ):
            title = f"{SERIES_OF_INTERVALS} series of each demand: {bound} {what} within 80 % intervals"
            report(Figure("forecast", title, 100 * share, "%", target, detail))


def coverage_of_sums(task: Task, ours: Outlook) -> float:
    low, high = ours.sum_interval(np.full(task.series.columns, len(task.actual)))
    return coverage(task.actual.sum(axis=0), low, high)


def naive_forecasts(task: Task) -> dict[str, Bounds]:
    """With normal intervals from the errors within the history."""
    history, days = task.history, len(task.actual)
    week = np.concatenate([history[-7:]] * (-(-days // 7)))[:days]
    ahead = np.arange(1, days + 1)[:, None]
    week_margin = Z * (history[7:] - history[:-7]).std(axis=0) * np.sqrt(-(-ahead // 7))
    day_margin = Z * (history[1:] - history[:-1]).std(axis=0) * np.sqrt(ahead)
    last = np.repeat(history[-1:], days, axis=0)
    return {
        "day before": Bounds(last, last - day_margin, last + day_margin),
        "week before": Bounds(week, week - week_margin, week + week_margin),
    }


def mase(task: Task, mean: Floats) -> float:
    is_scaled = task.scale > 0
    errors = np.abs(mean - task.actual).mean(axis=0)
    return float((errors[is_scaled] / task.scale[is_scaled]).mean())


def interval_score(task: Task, bounds: Bounds) -> float:
    below = np.maximum(bounds.low - task.actual, 0.0)
    above = np.maximum(task.actual - bounds.high, 0.0)
    scores = (bounds.high - bounds.low + 2 / (1 - LEVEL) * (below + above)).mean(axis=0)
    is_scaled = task.scale > 0
    return float((scores[is_scaled] / task.scale[is_scaled]).mean())


def coverage(actual: Floats, low: Floats, high: Floats) -> float:
    return float(((low <= actual) & (actual <= high)).mean())


def statsforecasts(tasks: Sequence[Task]) -> Mapping[str, Floats]:
    """The library's forecasts; none if it cannot be installed."""
    with tempfile.TemporaryDirectory() as folder:
        histories, forecasts = Path(folder) / "histories.npz", Path(folder) / "forecasts.npz"
        np.savez(histories, allow_pickle=False, **{task.name: task.history for task in tasks})
        uv = Path(sys.executable).with_name("uv")
        script = Path(__file__).with_name("auto_ets.py")
        isolated = (uv, "run", "--quiet", "--no-project", "--isolated", "--with", STATSFORECAST, "python", script)
        completed = subprocess.run([*isolated, histories, forecasts, str(HORIZON)], check=False, cwd=folder)
        if completed.returncode:
            print(f"Without TSB and auto-ETS: {STATSFORECAST} could not be run.")
            return {}
        return dict(np.load(forecasts))


def real_task(file: Path) -> Task:
    """Every product sold before the days held out, with the weekday factors of all products."""
    demand, first = daily_demand(file)
    known = np.array([days for days in demand.values() if any(days[:-HELD_OUT_DAYS])]).T
    history = known[:-HELD_OUT_DAYS]
    rows = max(-(-len(history) // 7) * 7, MIN_ROWS)
    missing = rows - len(history)
    factors = weekday_factors(history.sum(axis=1).tolist(), first.weekday())
    begins = (first - timedelta(days=missing)).weekday()
    padded = np.concatenate([np.zeros((missing, known.shape[1])), history])
    none = np.zeros(padded.shape, np.bool_)
    starts = np.full(known.shape[1], missing)
    rotated = np.array([factors[(begins + number) % 7] for number in range(7)])
    return Task("real", DemandSeries(padded, starts, none, none, rotated), known[-HELD_OUT_DAYS:])


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


def report_weeks(task: Task) -> None:
    """The errors of all real products, in units and not scaled."""
    ours = forecast(task.series, HELD_OUT_DAYS).mean
    forecasts = {"ours": ours, **{name: one.mean for name, one in naive_forecasts(task).items()}}
    measures: dict[str, Callable[[Floats], float]] = {
        "MAE of days": lambda mean: np.abs(mean - task.actual).mean(),
        "RMSE of days": lambda mean: np.sqrt(np.square(mean - task.actual).mean()),
        "MAE of the week": lambda mean: np.abs(mean.sum(axis=0) - task.actual.sum(axis=0)).mean(),
    }
    print(f"{task.series.columns} products, {HELD_OUT_DAYS} of {len(task.history) + HELD_OUT_DAYS} days held out")
    for title, measure in measures.items():
        found = {name: float(measure(mean)) for name, mean in forecasts.items()}
        detail = ", ".join(f"{name} {value:.3f}" for name, value in found.items())
        ratio = found["ours"] / found["week before"]
        report(Figure("forecast", f"real: {title}, 7 days", ratio, "of the week before's", under(1), detail))


if __name__ == "__main__":
    main()
