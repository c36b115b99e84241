"""The upstream protocol: a service is an ASGI app, whether it runs across the network or in this process.

Requests, responses, server-sent events and WebSockets are therefore handled alike in both deployments.
"""

from typing import Protocol

from starlette.types import Receive, Scope, Send

AUTHENTICATED = "stockbuddy.authenticated"
"""Scope key: whether the caller is authenticated. Idempotency keys belong to callers; services ignore the key of an
anonymous request, so such a request must not be repeated."""


class Upstream(Protocol):
    """One service.

    Raises Unavailable, ServiceTimeout, ClientDisconnected or the error of `receive` before it has sent anything, and
    ResponseInterrupted afterwards.
    """

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None: ...

    async def open(self) -> None: ...

    async def close(self) -> None: ...

    @property
    def replicas(self) -> tuple[int, int]:
        """How many replicas are known, and how many of them receive requests."""


class ResponseInterrupted(Exception):
    """The service failed after its response had started."""


class ClientDisconnected(Exception):
    """The client closed the connection before the request body was complete."""
