"""An upstream whose calls continue the trace of the request that needs them; used only if tracing is on."""

from starlette.types import Receive, Scope, Send

from stockbuddy.chassis.runtime.trace_context import current_traceparent
from stockbuddy.gateway.proxy.upstream import Upstream


class TracedUpstream:
    """For calls of the gateway itself, such as the exchange of an API key for a token."""

    def __init__(self, upstream: Upstream) -> None:
        self._upstream = upstream

    async def open(self) -> None:
        await self._upstream.open()

    async def close(self) -> None:
        await self._upstream.close()

    @property
    def replicas(self) -> tuple[int, int]:
        return self._upstream.replicas

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """A poll, which belongs to no request, has no trace."""
        if (traceparent := current_traceparent()) is not None:
            scope["headers"].append((b"traceparent", traceparent.encode()))
        await self._upstream(scope, receive, send)
