"""The request context that the pipeline's steps share."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from starlette.types import Receive, Scope

from stockbuddy.chassis.http.tokens import Principal
from stockbuddy.gateway.client_address import ClientOrigin
from stockbuddy.gateway.headers import HeaderList, RequestHeaders
from stockbuddy.gateway.routing.routes import NO_ROUTE, Route

WEBSOCKET = "WEBSOCKET"
"""The method of a WebSocket handshake, in logs, metrics and reports."""


@dataclass(frozen=True, slots=True)
class Caller:
    """An authenticated caller. `name` is the user, API key or grant of an app that requests are counted for;
    `authorization` is the header value that the service receives. `renew` gets the principal of a further token while a
    stream is open; None for a bearer token, with which the stream ends. It raises Unauthenticated when the credential
    has ended."""

    principal: Principal
    name: str
    authorization: bytes
    renew: Callable[[], Awaitable[Principal]] | None = None

    @classmethod
    def from_token(cls, principal: Principal, token: str) -> "Caller":
        name = f"user:{principal.user_id}" if principal.is_user_session else principal.credential
        return cls(principal, name, f"Bearer {token}".encode("latin-1"))


@dataclass(slots=True)
class GatewayRequest:
    """A request with what the steps have determined so far. `path` is canonical and percent-encoded; routing adds a
    missing version and resolves aliases. `receive` is replaced by the steps that limit or read the body."""

    scope: Scope
    receive: Receive
    headers: RequestHeaders
    origin: ClientOrigin
    method: str
    path: str
    route: Route = NO_ROUTE
    caller: Caller | None = None
    response_headers: HeaderList = field(default_factory=list)

    @property
    def client_address(self) -> str:
        return self.origin.address

    @property
    def scheme(self) -> str:
        return self.origin.scheme

    @property
    def log_fields(self) -> dict[str, str]:
        return {"request_id": self.headers.request_id.decode(), "path": self.path}
