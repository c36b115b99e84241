"""A route class that binds parameters itself, because FastAPI's dependency solver is up to half the cost of a hot call.

Supported parameters: the request, path, query and header parameters, one model for the whole query, a JSON body, and
dependencies on these: functions, or generators that end before the response is sent. They are validated, documented and
rejected as FastAPI does it. A route with any other parameter is served by FastAPI's solver. See ADR 11 for the
measurements.
"""

import inspect
import json
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Annotated, Any, NamedTuple, get_args, get_origin

from fastapi import HTTPException, Request, Response
from fastapi.dependencies.utils import request_body_to_args
from fastapi.exceptions import RequestValidationError
from fastapi.params import Body, Depends, File, Form, Header, Param
from fastapi.routing import APIRoute
from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic_core import PydanticUndefined
from starlette.requests import HTTPConnection

from stockbuddy.chassis.http.authentication import PermissionCheck, authenticate
from stockbuddy.chassis.http.etags import ConditionalRoute

DEPENDENCY_STACK = "fastapi_function_astack"
"""Scope key of the stack that ends the request's generators: FastAPI's, so that either may serve the route."""
_GENERATED = "stockbuddy.generated"
"""Scope key of what the request's generators have yielded, by generator: several dependencies may share a session."""

Bind = Callable[[Request], Any]
"""Reads one argument from the request. Raises RequestValidationError."""


class _NeedsSolver(Exception):
    """A parameter is not supported."""


class _Binding(NamedTuple):
    """`is_async`: the result of `bind` is awaited."""

    name: str
    bind: Bind
    is_async: bool = False


class _SolverlessRoute(APIRoute):
    """The innermost handler, which the entity tags, the idempotency and the check for unknown query parameters wrap."""

    is_solverless = False

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        endpoint: Callable[..., Awaitable[Response]] = self.endpoint
        try:
            _require_response(endpoint)
            checks = [one.dependency for one in self.dependencies if isinstance(one.dependency, PermissionCheck)]
            others = [one for one in self.dependencies if not isinstance(one.dependency, PermissionCheck)]
            bindings = _build_bindings(endpoint, self)
            bindings += [_Binding("", _build_dependency(one, self), is_async=True) for one in others]
        except _NeedsSolver:
            return super().get_route_handler()
        self.is_solverless = True
        names = [binding.name for binding in bindings if binding.name]

        async def handle(request: Request) -> Response:
            if self.body_field is not None:
                request.state.document = await _read_document(request)
            caller = await authenticate(request)
            for check in checks:
                check.check(caller)
            values = await _bind(bindings, request)
            return await endpoint(**{name: values[name] for name in names})

        return handle


class LightweightRoute(ConditionalRoute, _SolverlessRoute):
    """For endpoints of authenticated callers; those that return a `Response` are served without the solver. `handler`
    is the complete one, which FastAPI keeps inside its own layers."""

    handler: Callable[[Request], Coroutine[Any, Any, Response]]

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        self.handler = super().get_route_handler()
        return self.handler


async def _bind(bindings: Sequence[_Binding], request: Request) -> Mapping[str, Any]:
    """The arguments by name. Raises RequestValidationError with the errors of all of them."""
    values: dict[str, Any] = {}
    errors: list[Any] = []
    for name, bind, is_async in bindings:
        try:
            value = bind(request)
            values[name] = await value if is_async else value
        except RequestValidationError as error:
            errors += error.errors()
    if errors:
        raise RequestValidationError(errors)
    return values


async def _read_document(request: Request) -> Any:
    """The body as FastAPI validates it: decoded JSON, the bytes of any other media type, undefined if it is empty."""
    body = await request.body()
    if not body:
        return PydanticUndefined
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != "application/json" and not (
        media_type.startswith("application/") and media_type.endswith("+json")
    ):
        return body
    try:
        return json.loads(body)
    except json.JSONDecodeError as error:
        details = {"type": "json_invalid", "loc": ("body", error.pos), "msg": "JSON decode error", "input": {}}
        raise RequestValidationError([details | {"ctx": {"error": error.msg}}], body=error.doc) from error
    except (ValueError, RecursionError) as error:
        raise HTTPException(400, "There was an error parsing the body") from error


def _require_response(endpoint: Callable[..., Any]) -> None:
    """FastAPI converts what is not a response."""
    returned = inspect.signature(endpoint, eval_str=True).return_annotation
    if not (inspect.isclass(returned) and issubclass(returned, Response)):
        raise _NeedsSolver


def _build_bindings(call: Callable[..., Any], route: APIRoute) -> list[_Binding]:
    parameters = inspect.signature(call, eval_str=True).parameters
    return [_build_binding(name, parameter, route) for name, parameter in parameters.items()]


def _build_binding(name: str, parameter: inspect.Parameter, route: APIRoute) -> _Binding:
    annotation = parameter.annotation
    if annotation in (Request, HTTPConnection):
        return _Binding(name, lambda request: request)
    markers = get_args(annotation)[1:] if get_origin(annotation) is Annotated else ()
    value_type = get_args(annotation)[0] if markers else annotation
    for marker in markers:
        if isinstance(marker, Depends):
            if marker.dependency is authenticate:
                return _Binding(name, lambda request: request.state.principal)
            return _Binding(name, _build_dependency(marker, route), is_async=True)
        if isinstance(marker, Header):
            return _Binding(name, _build_header(marker, value_type, parameter.default))
        if isinstance(marker, (Form, File)):
            raise _NeedsSolver
    if route.body_field is not None and name == route.dependant.body_params[0].name:
        return _Binding(name, _build_body(route), is_async=True)
    if any(isinstance(marker, Body) for marker in markers):
        raise _NeedsSolver  # one of several parts of the body
    if any(isinstance(marker, Param) and marker.alias not in (None, name) for marker in markers):
        raise _NeedsSolver
    return _Binding(name, _build_url_parameter(name, parameter, value_type, route))


def _build_dependency(marker: Depends, route: APIRoute) -> Bind:
    call = marker.dependency
    if call is not None and inspect.isasyncgenfunction(call) and marker.scope == "function":
        return _build_generator(call, route)
    if call is None or not inspect.iscoroutinefunction(call):
        raise _NeedsSolver
    bindings = _build_bindings(call, route)

    async def solve(request: Request) -> Any:
        return await call(**await _bind(bindings, request))

    return solve


def _build_generator(call: Callable[..., Any], route: APIRoute) -> Bind:
    bindings, enter = _build_bindings(call, route), asynccontextmanager(call)

    async def solve(request: Request) -> Any:
        generated: dict[Any, Any] = request.scope.setdefault(_GENERATED, {})
        if call not in generated:
            stack: AsyncExitStack = request.scope[DEPENDENCY_STACK]
            generated[call] = await stack.enter_async_context(enter(**await _bind(bindings, request)))
        return generated[call]

    return solve


def _build_header(marker: Header, value_type: Any, default: Any) -> Bind:
    if marker.alias is None or value_type != str | None:
        raise _NeedsSolver
    header = marker.alias
    return lambda request: request.headers.get(header, default)


def _build_body(route: APIRoute) -> Bind:
    fields = route.dependant.body_params
    if len(fields) != 1 or isinstance(fields[0].field_info, Form):
        raise _NeedsSolver

    async def validate(request: Request) -> Any:
        values, errors = await request_body_to_args(
            body_fields=fields, received_body=request.state.document, embed_body_fields=False
        )
        if errors:
            raise RequestValidationError(errors, body=request.state.document)
        return values[fields[0].name]

    return validate


def _build_url_parameter(name: str, parameter: inspect.Parameter, value_type: Any, route: APIRoute) -> Bind:
    path = route.path
    if inspect.isclass(value_type) and issubclass(value_type, BaseModel):
        # A model for the whole query would get the parameters beside it, too.
        if len(route.dependant.query_params) > 1 or any(
            _accepts_list(field.annotation) for field in value_type.model_fields.values()
        ):
            raise _NeedsSolver
        return lambda request: _validate(lambda: value_type.model_validate(dict(request.query_params)), "query")
    adapter = TypeAdapter(parameter.annotation)
    if f"{{{name}}}" in path or f"{{{name}:" in path:
        return lambda request: _validate(lambda: adapter.validate_python(request.path_params[name]), "path", name)
    return lambda request: (
        _validate(lambda: adapter.validate_python(request.query_params[name]), "query", name)
        if name in request.query_params
        else parameter.default
    )


def _accepts_list(annotation: Any) -> bool:
    return get_origin(annotation) in (list, tuple, set, frozenset) or any(map(_accepts_list, get_args(annotation)))


def _validate(validate: Callable[[], Any], place: str, *field: str) -> Any:
    try:
        return validate()
    except ValidationError as error:
        raise RequestValidationError(
            [{**details, "loc": (place, *field, *details["loc"])} for details in error.errors()]
        ) from error
