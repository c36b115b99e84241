"""The gateway's own errors, in addition to those of the chassis."""

from typing import Annotated

from pydantic import Field

from stockbuddy.chassis.http.errors import Forbidden, NotFound, Problem
from stockbuddy.chassis.http.tokens import Principal


class UnknownPath(NotFound):
    """No such path."""


class MethodNotAllowed(Problem):
    """This path does not support this method."""

    status = 405
    code = "method_not_allowed"

    def __init__(self, allowed: str) -> None:
        super().__init__(headers={"Allow": allowed})


class RequestTimeout(Problem):
    """The request body was not received in time."""

    status = 408
    code = "body_too_slow"

    def __init__(self) -> None:
        super().__init__(headers={"Connection": "close"})


class TooManyStreams(Problem):
    """Too many streams of this caller are open; close one first."""

    status = 429
    code = "too_many_streams"
    members = {"limit": Annotated[int | None, Field(None, description="The largest number of streams of a caller.")]}

    def __init__(self, limit: int) -> None:
        super().__init__(limit=limit, headers={"Retry-After": "60"})


class ServiceTimeout(Problem):
    """The service did not respond in time; whether the request took effect is unknown."""

    status = 504
    code = "service_timeout"


class GatewayForbidden(Forbidden):
    """The gateway forbids this request."""

    def __init__(self, principal: Principal | None = None) -> None:
        """`principal`: None if the caller was not authenticated."""
        super().__init__()
        self.principal = principal


class CsrfFailed(GatewayForbidden):
    """The CSRF token is missing or wrong, or the page's origin is not allowed."""

    code = "csrf_failed"


class NetworkNotAllowed(GatewayForbidden):
    """This API key is not accepted from your network."""

    code = "network_not_allowed"


class HttpsRequired(GatewayForbidden):
    """HTTPS is required."""

    code = "https_required"


class UnknownHost(Problem):
    """This server does not serve this host."""

    status = 421
    code = "unknown_host"
