"""Who uses what, how much and how fast, for Prometheus: the services' measures, and requests by caller."""

from prometheus_client import Counter, Histogram

from stockbuddy.chassis.metrics import REQUEST_SECONDS, REQUESTS
from stockbuddy.gateway.admission.credentials import Caller
from stockbuddy.gateway.routes import Route

MOST_CALLERS = 5000
"""Further ones are counted together: a time series per caller is memory, here and in Prometheus."""

CALLER_REQUESTS = Counter(
    "stockbuddy_gateway_caller_requests_total", "Requests by caller and route.", ["caller", "route"]
)


class Usage:
    """Keeps the series it has seen at hand, because looking one up by its labels costs more than counting."""

    def __init__(self) -> None:
        self._counters: dict[tuple[str, str, int], Counter] = {}
        self._seconds: dict[tuple[str, str], Histogram] = {}
        self._callers: dict[tuple[str, str], Counter] = {}

    def count(self, route: Route | None, caller: Caller | None, method: str, status: int, seconds: float) -> None:
        """Status 0: the client left before there was an answer."""
        path = route.path if route else "unknown"
        counter = self._counters.get((method, path, status))
        if counter is None:
            counter = self._counters[method, path, status] = REQUESTS.labels("gateway", method, path, status)
        counter.inc()
        histogram = self._seconds.get((method, path))
        if histogram is None:
            histogram = self._seconds[method, path] = REQUEST_SECONDS.labels("gateway", method, path)
        histogram.observe(seconds)
        self._count_caller(caller.name if caller else "anonymous", path)

    def _count_caller(self, name: str, path: str) -> None:
        counter = self._callers.get((name, path))
        if counter is None:
            if len(self._callers) >= MOST_CALLERS:
                name = "other"
            counter = self._callers[name, path] = CALLER_REQUESTS.labels(name, path)
        counter.inc()
