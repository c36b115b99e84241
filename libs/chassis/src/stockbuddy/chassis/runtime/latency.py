"""Response times of this process, from the histogram that Prometheus scrapes as well."""

from collections import defaultdict

from stockbuddy.chassis.runtime.metrics import REQUEST_DURATION_SECONDS
from stockbuddy.contracts.status import Latency


def measure_latency(service: str) -> Latency:
    """Over all routes of `service` since the process has started."""
    counts: defaultdict[float, float] = defaultdict(float)
    for metric in REQUEST_DURATION_SECONDS.collect():
        for sample in metric.samples:
            if sample.name.endswith("_bucket") and sample.labels["service"] == service:
                counts[float(sample.labels["le"])] += sample.value
    bounds = sorted(counts.items())
    return Latency(
        requests=int(bounds[-1][1]) if bounds else 0,
        p50_seconds=find_quantile(bounds, 0.5),
        p99_seconds=find_quantile(bounds, 0.99),
    )


def find_quantile(bounds: list[tuple[float, float]], quantile: float) -> float | None:
    """Interpolated within a bucket, as Prometheus does. `bounds`: upper bounds in seconds with cumulated counts, in
    order, the last one infinite. None without requests."""
    if not bounds or bounds[-1][1] == 0:
        return None
    rank = quantile * bounds[-1][1]
    lower, below = 0.0, 0.0
    for upper, count in bounds:
        if count >= rank:
            return lower if upper == float("inf") else lower + (upper - lower) * (rank - below) / (count - below)
        lower, below = upper, count
    return lower
