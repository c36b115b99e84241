"""An upstream whose requests carry a header of the gateway's own."""

from collections.abc import Callable

from starlette.types import Receive, Scope, Send

from stockbuddy.chassis.runtime.companies import COMPANY_HEADER
from stockbuddy.chassis.runtime.trace_context import current_traceparent
from stockbuddy.gateway.proxy.upstream import Upstream

Header = tuple[bytes, bytes]


class HeaderUpstream:
    """`header`: of the present request; None adds nothing. Requests of clients have lost such headers before."""

    def __init__(self, upstream: Upstream, header: Callable[[], Header | None]) -> None:
        self._upstream = upstream
        self._header = header

    async def open(self) -> None:
        await self._upstream.open()

    async def close(self) -> None:
        await self._upstream.close()

    @property
    def replicas(self) -> tuple[int, int]:
        return self._upstream.replicas

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if (header := self._header()) is not None:
            scope["headers"].append(header)
        await self._upstream(scope, receive, send)


def for_company(upstream: Upstream, company: str) -> Upstream:
    """Names the company to a service that serves several in one process (docs/adr/0041)."""
    header = (COMPANY_HEADER, company.encode())
    return HeaderUpstream(upstream, lambda: header)


def traced(upstream: Upstream) -> Upstream:
    """For calls of the gateway itself, such as the exchange of an API key for a token: they continue the trace of the
    request that needs them. A poll, which belongs to no request, has no trace. Used only if tracing is on."""
    return HeaderUpstream(upstream, _trace_header)


def _trace_header() -> Header | None:
    traceparent = current_traceparent()
    return None if traceparent is None else (b"traceparent", traceparent.encode())
