"""Prometheus metrics of proxied requests: the services' own, and requests by caller."""

from dataclasses import dataclass

from prometheus_client import Counter, Histogram

from stockbuddy.chassis.runtime.metrics import REQUEST_DURATION_SECONDS, REQUESTS
from stockbuddy.chassis.runtime.trace_context import exemplar_from
from stockbuddy.gateway.request import GatewayRequest

MAX_CACHED_SERIES = 50_000
MAX_CALLERS = 5000
"""Further callers are counted as one: every time series uses memory here and in Prometheus."""

CALLER_REQUESTS = Counter(
    "stockbuddy_gateway_caller_requests_total", "Requests by caller and route.", ["caller", "route"]
)


@dataclass(frozen=True, slots=True)
class Series:
    """The time series that one combination of labels adds to."""

    requests: Counter
    duration_seconds: Histogram
    by_caller: Counter


class RequestMetrics:
    """Caches series by their labels, because looking them up costs more than counting."""

    def __init__(self) -> None:
        self._series: dict[tuple[str, str, int, str], Series] = {}
        self._callers: set[str] = set()

    def record(self, request: GatewayRequest, status: int, seconds: float) -> None:
        """Status 0: the client disconnected before the response."""
        caller = request.caller
        key = (request.method, request.route.path, status, caller.name if caller else "anonymous")
        series = self._series.get(key) or self._create_series(*key)
        series.requests.inc()
        series.duration_seconds.observe(seconds, self._exemplar(request))
        series.by_caller.inc()

    def _exemplar(self, _: GatewayRequest) -> dict[str, str] | None:
        return None

    def _create_series(self, method: str, path: str, status: int, caller: str) -> Series:
        label = caller if caller in self._callers or len(self._callers) < MAX_CALLERS else "others"
        self._callers.add(label)
        series = Series(
            REQUESTS.labels("gateway", method, path, status),
            REQUEST_DURATION_SECONDS.labels("gateway", method, path),
            CALLER_REQUESTS.labels(label, path),
        )
        if len(self._series) < MAX_CACHED_SERIES:
            self._series[method, path, status, caller] = series
        return series


class TracedRequestMetrics(RequestMetrics):
    """With the request's trace as exemplar of its duration; used only if tracing is on."""

    def _exemplar(self, request: GatewayRequest) -> dict[str, str] | None:
        traceparent = request.headers.traceparent
        return None if traceparent is None else exemplar_from(traceparent.decode())
