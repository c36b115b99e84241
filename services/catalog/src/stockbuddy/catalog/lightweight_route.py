"""A route class that binds parameters itself, because FastAPI's dependency solver is up to half the cost of a hot read.

Supported parameters: the request, `Caller`, path parameters, and query parameters or one model for the whole query.
They are validated, documented and rejected as FastAPI does it. See ADR 11 for the measurements.
"""

import inspect
from collections.abc import Awaitable, Callable, Coroutine
from typing import Annotated, Any, get_args, get_origin

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.params import Depends
from fastapi.routing import APIRoute
from pydantic import BaseModel, TypeAdapter, ValidationError

from stockbuddy.chassis.http.authentication import authenticate
from stockbuddy.chassis.http.etags import ConditionalRoute

Binder = Callable[[Request], Any]
"""Reads one argument of the endpoint from the request."""


class _SolverlessRoute(APIRoute):
    """The innermost handler, which the entity tags and the check for unknown query parameters wrap."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        if self.methods != {"GET"}:
            return super().get_route_handler()
        endpoint: Callable[..., Awaitable[Response]] = self.endpoint
        binders = {
            name: _build_binder(name, parameter, self.path)
            for name, parameter in inspect.signature(endpoint).parameters.items()
        }

        async def handle(request: Request) -> Response:
            await authenticate(request)
            return await endpoint(**{name: bind(request) for name, bind in binders.items()})

        return handle


class LightweightRoute(ConditionalRoute, _SolverlessRoute):
    """For GETs of authenticated callers that return a `Response`; other methods are as in ConditionalRoute."""


def _build_binder(name: str, parameter: inspect.Parameter, path: str) -> Binder:
    annotation, default = parameter.annotation, parameter.default
    if annotation is Request:
        return lambda request: request
    markers = get_args(annotation)[1:] if get_origin(annotation) is Annotated else ()
    if any(getattr(marker, "dependency", None) is authenticate for marker in markers):
        return lambda request: request.state.principal
    value_type = get_args(annotation)[0] if markers else annotation
    if inspect.isclass(value_type) and issubclass(value_type, BaseModel):
        return lambda request: _validate(lambda: value_type.model_validate(dict(request.query_params)), "query")
    if any(isinstance(marker, Depends) for marker in markers):
        raise TypeError(f"{name} needs FastAPI's dependency solver")
    adapter = TypeAdapter(annotation)
    if f"{{{name}}}" in path or f"{{{name}:" in path:
        return lambda request: _validate(lambda: adapter.validate_python(request.path_params[name]), "path", name)
    return lambda request: (
        _validate(lambda: adapter.validate_python(request.query_params[name]), "query", name)
        if name in request.query_params
        else default
    )


def _validate(validate: Callable[[], Any], place: str, *field: str) -> Any:
    try:
        return validate()
    except ValidationError as error:
        raise RequestValidationError(
            [{**details, "loc": (place, *field, *details["loc"])} for details in error.errors()]
        ) from error
