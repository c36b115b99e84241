"""Routes that a browser opens as pages: it is sent to the console's login with the code of a problem, instead of seeing
JSON. Other clients receive the problem."""

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response
from fastapi.responses import RedirectResponse
from fastapi.routing import APIRoute

from stockbuddy.auth.dependencies import get_services
from stockbuddy.auth.sessions.tokens import forbid_caching
from stockbuddy.chassis.http.access_denied_audit import record_and_respond
from stockbuddy.chassis.http.errors import Forbidden, Problem
from stockbuddy.chassis.http.strict_query import StrictQueryRoute

Handler = Callable[[Request], Coroutine[Any, Any, Response]]


class BrowserRoute(APIRoute):
    """A page that may end in a problem."""

    def get_route_handler(self) -> Handler:
        return _redirect_problems(super().get_route_handler())


class StrictBrowserRoute(StrictQueryRoute):
    """The same, without unknown query parameters."""

    def get_route_handler(self) -> Handler:
        return _redirect_problems(super().get_route_handler())


def redirect_browser(location: str) -> RedirectResponse:
    response = RedirectResponse(location, 303)
    forbid_caching(response)
    return response


def _redirect_problems(handle: Handler) -> Handler:
    async def handle_page(request: Request) -> Response:
        try:
            return await handle(request)
        except Problem as problem:
            if "text/html" not in request.headers.get("accept", ""):
                raise
            if isinstance(problem, Forbidden):
                await record_and_respond(request, problem)  # a redirect is a denial, too
            # In the fragment, which reaches neither servers nor logs.
            return redirect_browser(f"{get_services(request).settings.public_url}/#code={problem.code}")

    return handle_page
