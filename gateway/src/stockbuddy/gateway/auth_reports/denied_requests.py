"""Reports requests that the gateway itself rejected with 403 to auth, which publishes `auth.access.denied`: one in a
minute of each caller, route and code.

Responses never wait for a report. While auth is unavailable, up to MAX_PENDING denied requests wait in memory.
"""

import time
from collections import deque
from itertools import islice

import structlog
from prometheus_client import Counter

from stockbuddy.chassis.runtime.background import PollingWorker
from stockbuddy.contracts.internal import (
    DENIALS_PATH,
    MAX_DENIED_REQUESTS,
    MAX_TEXT_LENGTH,
    DeniedRequest,
    DeniedRequestReport,
)
from stockbuddy.gateway.auth_reports.client import post_report, send_final_report
from stockbuddy.gateway.errors import GatewayForbidden
from stockbuddy.gateway.proxy.client import AuthClient
from stockbuddy.gateway.request import GatewayRequest

log = structlog.get_logger(__name__)

MAX_PENDING = 1000
IDLE_INTERVAL_SECONDS = 60.0
"""A denied request wakes the worker; between two of them there is nothing to report."""

AGGREGATION_SECONDS = 60.0
MAX_AGGREGATED = 10_000

REPEATED = Counter(
    "stockbuddy_gateway_denials_repeated_total",
    "Denied requests that were not reported, because the same was reported less than a minute before.",
)
LOST = Counter("stockbuddy_gateway_denials_lost_total", "Denied requests that could not be reported to auth.")


class DeniedRequestReporter:
    def __init__(self, auth: AuthClient) -> None:
        self._auth = auth
        self._pending: deque[DeniedRequest] = deque()
        self._reported_at: dict[tuple[str, str, str], float] = {}
        """By caller, route and code, oldest first; monotonic clock."""
        self.worker = PollingWorker("denied request reports", self._report, interval_seconds=IDLE_INTERVAL_SECONDS)

    def record(self, request: GatewayRequest, problem: GatewayForbidden) -> None:
        if self._is_repeated(request, problem):
            REPEATED.inc()
            return
        if len(self._pending) >= MAX_PENDING:
            LOST.inc()
            return
        self._pending.append(_to_denied_request(request, problem))
        self.worker.wake()

    def _is_repeated(self, request: GatewayRequest, problem: GatewayForbidden) -> bool:
        """Whether the same was reported within the last minute. The route counts, not the path, of which there are as
        many as a client likes."""
        now = time.monotonic()
        while self._reported_at:
            oldest = next(iter(self._reported_at))
            if self._reported_at[oldest] > now - AGGREGATION_SECONDS and len(self._reported_at) < MAX_AGGREGATED:
                break
            del self._reported_at[oldest]
        principal = problem.principal
        caller = f"user:{principal.user_id}" if principal else request.client_address
        key = (caller, request.route.path, problem.code)
        if key in self._reported_at:
            return True
        self._reported_at[key] = now
        return False

    async def close(self) -> None:
        await send_final_report(self._report)
        if self._pending:
            LOST.inc(len(self._pending))
            log.warning("denied_requests.lost", count=len(self._pending))

    async def _report(self) -> None:
        while batch := list(islice(self._pending, MAX_DENIED_REQUESTS)):
            await post_report(self._auth, DENIALS_PATH, DeniedRequestReport(requests=batch))
            for _ in batch:
                self._pending.popleft()


def _to_denied_request(request: GatewayRequest, problem: GatewayForbidden) -> DeniedRequest:
    headers, principal = request.headers, problem.principal
    return DeniedRequest(
        method=request.method,
        path=request.path[:MAX_TEXT_LENGTH],
        code=problem.code,
        user_id=principal.user_id if principal else None,
        username=principal.username if principal else None,
        client_ip=request.client_address,
        request_id=headers.request_id.decode(),
        traceparent=headers.traceparent.decode() if headers.traceparent else None,
    )
