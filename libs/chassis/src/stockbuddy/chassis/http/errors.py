"""Errors as RFC 9457 problems: one class tree, one handler.

Problem
├── BadRequest 400
├── Unauthenticated 401
├── Forbidden 403
├── NotFound 404
├── Conflict 409
├── PreconditionFailed 412
├── TooLarge 413
├── UnsupportedMediaType 415 (request_bodies)
├── Unprocessable 422
├── TooManyRequests 429
└── Unavailable 503

A service derives its own in `errors.py`. The class docstring is the default detail; clients branch on `code`.
"""

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from http import HTTPStatus
from typing import Any, ClassVar, TypeVar

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import BaseRoute, Match, Route

from stockbuddy.chassis.fields import InvalidValue
from stockbuddy.chassis.messaging.bus import EventTooLarge
from stockbuddy.chassis.runtime.event_context import current_event_context

PROBLEM_JSON = "application/problem+json"

Endpoint = TypeVar("Endpoint", bound=Callable[..., Any])


class Problem(Exception):
    """Internal error."""

    status: ClassVar[int] = 500
    code: ClassVar[str] = "internal_error"
    members: ClassVar[Mapping[str, Any]] = {}
    """The types of its members besides those of every problem, by name, for the OpenAPI document."""

    def __init__(self, detail: str | None = None, *, headers: Mapping[str, str] | None = None, **extra: Any) -> None:
        self.detail = detail or (type(self).__doc__ or "").strip().splitlines()[0]
        self.headers = dict(headers or {})
        self.extra = extra
        super().__init__(self.detail)

    def body(self) -> dict[str, Any]:
        """The problem document, with the members in `extra`, such as `shortages`."""
        return problem_body(self.status, self.code, self.detail, **self.extra)


def raises(*problems: type[Problem]) -> Callable[[Endpoint], Endpoint]:
    """Declare the problems of a route's endpoint, or of a dependency, for the OpenAPI document. Those that follow from
    the route itself are added there: `unauthenticated`, for instance, or `validation_error`."""

    def declare(endpoint: Endpoint) -> Endpoint:
        vars(endpoint)["__problems__"] = problems
        return endpoint

    return declare


def declared_problems(endpoint: object) -> Sequence[type[Problem]]:
    """Those that `raises` declares."""
    return getattr(endpoint, "__problems__", ())


INVALID = "invalid"
"""The code of a field error without one of its own."""


def invalid_field(field: str, message: str, code: str, values: Mapping[str, object]) -> dict[str, object]:
    """One of the `errors` of a problem. Of `values`, texts and numbers are shown, numbers as exact texts."""
    shown = {name: str(value) for name, value in values.items() if isinstance(value, str | int | float | Decimal)}
    return {"field": field, "message": message, "code": code, "values": shown}


class BadRequest(Problem):
    """The request is malformed."""

    status = 400
    code = "bad_request"


class Unauthenticated(Problem):
    """Authentication required."""

    status = 401
    code = "unauthenticated"

    def __init__(self, detail: str | None = None, **extra: Any) -> None:
        super().__init__(detail, headers={"WWW-Authenticate": "Bearer"}, **extra)


class Forbidden(Problem):
    """The caller lacks the permission for this."""

    status = 403
    code = "forbidden"


class NotFound(Problem):
    """Not found."""

    status = 404
    code = "not_found"


class Conflict(Problem):
    """The request conflicts with the current state."""

    status = 409
    code = "conflict"


class PreconditionFailed(Problem):
    """The resource has changed since it was read (If-Match)."""

    status = 412
    code = "stale_etag"


class TooLarge(Problem):
    """The body exceeds the size limit of this call."""

    status = 413
    code = "body_too_large"


class Unprocessable(Problem):
    """The request is well-formed, but its content is invalid."""

    status = 422
    code = "validation_error"

    def __init__(self, detail: str | None = None, *, errors: Sequence[Mapping[str, object]] = (), **extra: Any) -> None:
        super().__init__(detail, errors=[dict(error) for error in errors], **extra)

    @classmethod
    def field(cls, field: str, message: str | ValueError, code: str = INVALID, **values: object) -> "Unprocessable":
        """An error in one field; `field` is its path in the body, such as `lines.0.quantity`. `code` and `values` are
        those of `InvalidValue`; an exception brings its own."""
        if isinstance(message, InvalidValue):
            code, values = message.code, message.values
        return cls(f"{field}: {message}", errors=[invalid_field(field, str(message), code, values)])


class ChangeTooLarge(Unprocessable):
    """The change is too large: its event would exceed 4 MiB. Split it into several requests."""

    code = "change_too_large"


class TooManyRequests(Problem):
    """Too many requests; retry after the time in Retry-After."""

    status = 429
    code = "rate_limited"


class Unavailable(Problem):
    """This part of the system is temporarily unavailable."""

    status = 503
    code = "service_unavailable"

    def __init__(self, detail: str | None = None, *, retry_after_seconds: int = 1, **extra: Any) -> None:
        super().__init__(detail, headers={"Retry-After": str(retry_after_seconds)}, **extra)


def problem_body(status: int, code: str, detail: str, **extra: Any) -> dict[str, Any]:
    return {
        "type": f"urn:stockbuddy:problem:{code}",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "code": code,
        "request_id": current_event_context().request_id,
        **extra,
    }


def problem_response(problem: Problem) -> JSONResponse:
    return JSONResponse(problem.body(), problem.status, headers=problem.headers, media_type=PROBLEM_JSON)


def install_problem_handlers(app: FastAPI, routes: Sequence[BaseRoute]) -> None:
    """Every error response of `app` is problem+json. `RequestContextMiddleware` responds to failures; the handler of
    `Exception` to those outside it, to which Starlette would respond with a text."""
    app.state.routes = routes
    app.add_exception_handler(Problem, _on_problem)
    app.add_exception_handler(RequestValidationError, _on_invalid_request)
    app.add_exception_handler(HTTPException, _on_http_exception)
    app.add_exception_handler(EventTooLarge, _on_event_too_large)
    app.add_exception_handler(Exception, _on_failure)


async def _on_problem(_: Request, error: Exception) -> Response:
    assert isinstance(error, Problem)
    return problem_response(error)


async def _on_event_too_large(_: Request, __: Exception) -> Response:
    return problem_response(ChangeTooLarge())


async def _on_failure(_: Request, __: Exception) -> Response:
    return problem_response(Problem())


VALUE_ERROR_PREFIX = "Value error, "
"""Prefix Pydantic adds to messages of ValueErrors raised in validators."""


async def _on_invalid_request(_: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    for e in error.errors():
        if e["type"] == "json_invalid":
            message = f"{e['ctx']['error']}, at character {e['loc'][-1]}"
            where = invalid_field("body", message, "json_invalid", {"position": e["loc"][-1]})
            return problem_response(BadRequest("The body is not valid JSON.", errors=[where]))
    errors = [_to_field_error(e) for e in error.errors()]
    return problem_response(Unprocessable("The request is not valid; see errors.", errors=errors))


def _to_field_error(error: Mapping[str, Any]) -> dict[str, object]:
    """Its code is that of the validator that raised it, or Pydantic's type of the error."""
    context = error.get("ctx", {})
    raised = context.get("error")
    code, values = error["type"], context
    if isinstance(raised, InvalidValue):
        code, values = raised.code, raised.values
    elif code == "value_error":
        code, values = INVALID, {}
    return invalid_field(_field_path(error["loc"]), error["msg"].removeprefix(VALUE_ERROR_PREFIX), code, values)


def _field_path(location: Sequence[str | int]) -> str:
    """`("body", "lines", 0, "quantity")` → `lines.0.quantity`; a query or path parameter → its name."""
    return ".".join(str(part) for part in location[1:]) or str(location[0] if location else "body")


_CODES = {401: "unauthenticated", 404: "not_found", 405: "method_not_allowed", 413: "body_too_large"}


async def _on_http_exception(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    code = _CODES.get(error.status_code, "bad_request" if error.status_code < 500 else "internal_error")
    body = problem_body(error.status_code, code, str(error.detail))
    headers = {"Allow": _methods_at(request)} if error.status_code == 405 else error.headers
    return JSONResponse(body, error.status_code, headers=headers, media_type=PROBLEM_JSON)


def _methods_at(request: Request) -> str:
    """The value of `Allow` (RFC 9110 §10.2.1): the methods of the most specific matching path, since a literal segment
    such as `/by-sku` also matches `/{id}`. Starlette reports only those of the first matching route."""
    routes: Sequence[BaseRoute] = request.app.state.routes
    matching = [route for route in routes if isinstance(route, Route) and route.matches(request.scope)[0] != Match.NONE]
    path = min((route.path for route in matching), key=lambda path: path.count("{"))
    return ", ".join(sorted({method for route in matching if route.path == path for method in route.methods or ()}))
