"""What can go wrong at the door, beyond what the chassis names."""

from stockbuddy.chassis.http.errors import Forbidden, Problem
from stockbuddy.chassis.http.tokens import Principal


class UnknownPath(Problem):
    """There is nothing at this path."""

    status = 404
    code = "not_found"


class MethodNotAllowed(Problem):
    """This path does not take this method."""

    status = 405
    code = "method_not_allowed"

    def __init__(self, allowed: str) -> None:
        super().__init__(headers={"Allow": allowed})


class SlowBody(Problem):
    """The body of the request did not arrive in time."""

    status = 408
    code = "body_too_slow"

    def __init__(self) -> None:
        super().__init__(headers={"Connection": "close"})


class ServiceTimeout(Problem):
    """The service did not answer in time; whether the request took effect is unknown."""

    status = 504
    code = "service_timeout"


class DeniedHere(Forbidden):
    """The gateway lets nobody do this. `principal` is who tried, where that is known."""

    def __init__(self, principal: Principal | None = None) -> None:
        super().__init__()
        self.principal = principal


class ForeignPage(DeniedHere):
    """A browser's session may be used by our own pages only; the CSRF token is missing or wrong."""

    code = "csrf_failed"


class HttpsRequired(DeniedHere):
    """This site speaks HTTPS only."""

    code = "https_required"


class UnknownHost(Problem):
    """This site does not go by that name."""

    status = 400
    code = "unknown_host"
