"""Who uses what, how much and how fast, for Prometheus: the services' measures, and requests by caller."""

from dataclasses import dataclass

from prometheus_client import Counter, Histogram

from stockbuddy.chassis.runtime.metrics import REQUEST_SECONDS, REQUESTS
from stockbuddy.gateway.admission.credentials import Caller
from stockbuddy.gateway.routes import Route

MOST_SERIES = 50_000
MOST_CALLERS = 5000
"""Further ones are counted together: a time series per caller is memory, here and in Prometheus."""

CALLER_REQUESTS = Counter(
    "stockbuddy_gateway_caller_requests_total", "Requests by caller and route.", ["caller", "route"]
)


@dataclass(frozen=True, slots=True)
class Series:
    """What one more request of a kind adds to."""

    requests: Counter
    seconds: Histogram
    by_caller: Counter


class Usage:
    """Keeps the series it has seen at hand, because looking them up by their labels costs more than counting."""

    def __init__(self) -> None:
        self._series: dict[tuple[str, str, int, str], Series] = {}
        self._callers: set[str] = set()

    def count(self, route: Route | None, caller: Caller | None, method: str, status: int, seconds: float) -> None:
        """Status 0: the client left before there was an answer."""
        key = (method, route.path if route else "unknown", status, caller.name if caller else "anonymous")
        series = self._series.get(key)
        if series is None:
            series = self._series_of(*key)
        series.requests.inc()
        series.seconds.observe(seconds)
        series.by_caller.inc()

    def _series_of(self, method: str, path: str, status: int, caller: str) -> Series:
        name = caller if caller in self._callers or len(self._callers) < MOST_CALLERS else "others"
        self._callers.add(name)
        series = Series(
            REQUESTS.labels("gateway", method, path, status),
            REQUEST_SECONDS.labels("gateway", method, path),
            CALLER_REQUESTS.labels(name, path),
        )
        if len(self._series) < MOST_SERIES:
            self._series[method, path, status, caller] = series
        return series
