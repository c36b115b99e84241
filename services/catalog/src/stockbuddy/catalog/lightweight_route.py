"""Routes that are called without FastAPI's dependency solver, whose share would be half the cost of a hot read.

Their signatures, which the OpenAPI document is made of, may have: the request, `Caller`, path parameters, query
parameters, or one model for the whole query. They are filled in as FastAPI would, and refused with the same errors.
"""

import inspect
from collections.abc import Awaitable, Callable, Coroutine
from typing import Annotated, Any, get_args, get_origin

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.params import Depends
from fastapi.routing import APIRoute
from pydantic import BaseModel, TypeAdapter, ValidationError

from stockbuddy.chassis.http.etags import ConditionalRoute
from stockbuddy.chassis.http.authentication import authenticate

Fill = Callable[[Request], Any]


class _Called(APIRoute):
    """Innermost: what the entity tags and idempotency keys are put around."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        if self.methods != {"GET"}:
            return super().get_route_handler()
        endpoint: Callable[..., Awaitable[Response]] = self.endpoint
        fills = {
            name: _fill_for(name, parameter, self.path)
            for name, parameter in inspect.signature(endpoint).parameters.items()
        }

        async def call(request: Request) -> Response:
            await authenticate(request)
            return await endpoint(**{name: fill(request) for name, fill in fills.items()})

        return call


class DirectRoute(ConditionalRoute, _Called):
    """For GETs of authenticated callers that return a ready response; other methods are as in ConditionalRoute."""


def _fill_for(name: str, parameter: inspect.Parameter, path: str) -> Fill:
    annotation, default = parameter.annotation, parameter.default
    if annotation is Request:
        return lambda request: request
    marks = get_args(annotation)[1:] if get_origin(annotation) is Annotated else ()
    if any(getattr(mark, "dependency", None) is authenticate for mark in marks):
        return lambda request: request.state.principal
    kind = get_args(annotation)[0] if marks else annotation
    if inspect.isclass(kind) and issubclass(kind, BaseModel):
        return lambda request: _checked(lambda: kind.model_validate(dict(request.query_params)), "query")
    if any(isinstance(mark, Depends) for mark in marks):
        raise TypeError(f"{name} needs the dependency solver")
    adapter = TypeAdapter(annotation)
    if f"{{{name}}}" in path or f"{{{name}:" in path:
        return lambda request: _checked(lambda: adapter.validate_python(request.path_params[name]), "path", name)
    return lambda request: (
        _checked(lambda: adapter.validate_python(request.query_params[name]), "query", name)
        if name in request.query_params
        else default
    )


def _checked(validate: Callable[[], Any], place: str, *field: str) -> Any:
    try:
        return validate()
    except ValidationError as error:
        raise RequestValidationError(
            [{**found, "loc": (place, *field, *found["loc"])} for found in error.errors()]
        ) from error
