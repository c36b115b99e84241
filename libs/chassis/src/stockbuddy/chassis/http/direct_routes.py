"""Serves lightweight routes without FastAPI's routing, which compares a request with the routes of every router twice
and wraps each call in layers that these routes do not need. See ADR 11.
"""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import AsyncExitStack
from typing import Any, NamedTuple

from fastapi import Request
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from stockbuddy.chassis.http.lightweight_route import DEPENDENCY_STACK, LightweightRoute

MAX_DEPTH = 3
_ANY_LENGTH = -1


class RouteMatch(NamedTuple):
    """A lightweight route, and the parameters in the path."""

    route: LightweightRoute
    parameters: dict[str, Any]


class RouteTable:
    """Finds what FastAPI would find: the first route, in their order, that matches path and method."""

    def __init__(self, routes: Iterable[BaseRoute]) -> None:
        ordered = [route for route in routes if isinstance(route, Route)]
        self._depth = min((_literal_segments(route.path) for route in ordered), default=0)
        self._candidates: dict[tuple[str, int], list[Route]] = {}
        for route in ordered:
            for length in {_length(route.path), _ANY_LENGTH}:
                self._candidates.setdefault((self._collection(route.path), length), [])
        for (collection, length), candidates in self._candidates.items():
            candidates += [
                route
                for route in ordered
                if self._collection(route.path) == collection and _length(route.path) in (length, _ANY_LENGTH)
            ]

    def find(self, scope: Scope) -> RouteMatch | None:
        """None if the route is not lightweight, or there is none."""
        path, method, collection = scope["path"], scope["method"], self._collection(scope["path"])
        candidates = self._candidates.get((collection, path.count("/")))
        if candidates is None:
            candidates = self._candidates.get((collection, _ANY_LENGTH), [])
        for route in candidates:
            matched = route.path_regex.match(path)
            if matched is None or method not in (route.methods or ()):
                continue
            if not (isinstance(route, LightweightRoute) and route.is_solverless):
                return None
            convertors = route.param_convertors
            parameters = {name: convertors[name].convert(value) for name, value in matched.groupdict().items()}
            return RouteMatch(route, parameters)
        return None

    def _collection(self, path: str) -> str:
        """The leading segments, which have no parameters in any route: `/api/v1/products`."""
        return "/".join(path.split("/", self._depth + 1)[: self._depth + 1])


class DirectRoutes:
    """Middleware: calls the handler of a lightweight route; any other request goes to `app`."""

    def __init__(self, app: ASGIApp, *, routes: Sequence[BaseRoute]) -> None:
        self._app = app
        self._table = RouteTable(routes)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        found = self._table.find(scope) if scope["type"] == "http" else None
        if found is None:
            await self._app(scope, receive, send)
            return
        scope["route"], scope["endpoint"], scope["path_params"] = found.route, found.route.endpoint, found.parameters
        request = Request(scope, receive, send)
        try:
            async with AsyncExitStack() as dependencies:
                scope[DEPENDENCY_STACK] = dependencies
                response = await found.route.handler(request)
        except Exception as error:
            respond = _handler_of(error, scope["app"].exception_handlers)
            if respond is None:
                raise
            response = await respond(request, error)
        await response(scope, receive, send)


def _handler_of(error: Exception, handlers: Mapping[Any, Any]) -> Any:
    """The app's handler of the error; that of Exception belongs to the outermost middleware."""
    return next((handlers[base] for base in type(error).__mro__ if base in handlers and base is not Exception), None)


def _literal_segments(path: str) -> int:
    """How many leading segments, at most MAX_DEPTH, have no parameter."""
    segments = path.split("/")[1:]
    return next((n for n, segment in enumerate(segments[:MAX_DEPTH]) if "{" in segment), min(len(segments), MAX_DEPTH))


def _length(path: str) -> int:
    return _ANY_LENGTH if ":path}" in path else path.count("/")
