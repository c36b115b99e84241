"""What follows for an operation from its route: texts, headers, and the problems that it can return."""

import inspect
from collections.abc import Iterator, Sequence
from typing import Any

from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from starlette.routing import BaseRoute

from stockbuddy.chassis.http.authentication import UserSessionRequired, require_user_session
from stockbuddy.chassis.http.consistency import CONSISTENCY_HEADER
from stockbuddy.chassis.http.errors import (
    BadRequest,
    ChangeTooLarge,
    Forbidden,
    NotFound,
    PreconditionFailed,
    Problem,
    TooLarge,
    Unauthenticated,
    Unavailable,
    Unprocessable,
    declared_problems,
)
from stockbuddy.chassis.http.etags import ConditionalRoute
from stockbuddy.chassis.http.idempotency import (
    REPLAYED_HEADER,
    IdempotencyKeyInvalid,
    IdempotencyKeyReused,
    IdempotentRoute,
)
from stockbuddy.chassis.http.location import has_item_route
from stockbuddy.chassis.http.openapi.headers import (
    IDEMPOTENCY_KEY,
    IF_MATCH,
    IF_NONE_MATCH,
    REQUEST_ID,
    header_references,
    parameter_reference,
)
from stockbuddy.chassis.http.openapi.problems import add_problem_responses
from stockbuddy.chassis.http.openapi.schemas import without_null
from stockbuddy.chassis.http.permissions import permission_of
from stockbuddy.chassis.http.request_bodies import UnsupportedMediaType

Document = dict[str, Any]
INTERACTIVE = "x-interactive"
"""Marks an operation that API keys and apps cannot call."""
SAFE_METHODS = frozenset({"GET", "HEAD"})


def complete_operation(
    document: Document, operation: Document, route: APIRoute, method: str, routes: Sequence[BaseRoute]
) -> None:
    """Complete FastAPI's description of `route` in place."""
    _split_docstring(operation, route)
    _complete_parameters(operation, route, method)
    _complete_body(operation)
    calls = set(_calls(route.dependant))
    if require_user_session in calls:
        operation[INTERACTIVE] = True
    _complete_successes(operation, route, method, routes)
    operation["responses"].pop("422", None)
    add_problem_responses(document, operation, _problems(operation, route, method, calls))


def _split_docstring(operation: Document, route: APIRoute) -> None:
    """The first paragraph of the endpoint's docstring is the summary, the others are the description."""
    summary, _, description = inspect.cleandoc(route.endpoint.__doc__ or "").partition("\n\n")
    if summary:
        operation["summary"] = " ".join(summary.split()).removesuffix(".")
    operation["description"] = description.strip() or operation["summary"]


def _complete_parameters(operation: Document, route: APIRoute, method: str) -> None:
    """A parameter that may be null may be left out."""
    parameters = operation.pop("parameters", [])
    for parameter in parameters:
        parameter["schema"] = without_null(parameter["schema"])
        if "description" in parameter["schema"]:
            parameter["description"] = parameter["schema"].pop("description")
    own = [parameter for parameter in parameters if parameter["name"] != IF_MATCH]
    common = [IF_MATCH] if len(own) < len(parameters) else []
    if method == "GET" and isinstance(route, ConditionalRoute):
        common.append(IF_NONE_MATCH)
    if _is_idempotent(route, method):
        common.append(IDEMPOTENCY_KEY)
    operation["parameters"] = own + [parameter_reference(header) for header in (*common, REQUEST_ID)]


def _is_idempotent(route: APIRoute, method: str) -> bool:
    """Whether the operation accepts an idempotency key; callers without credentials have none."""
    return method == "POST" and isinstance(route, IdempotentRoute) and permission_of(route) != "public"


def _complete_body(operation: Document) -> None:
    for media_type in operation.get("requestBody", {}).get("content", {}).values():
        media_type["schema"] = without_null(media_type["schema"])


def _complete_successes(operation: Document, route: APIRoute, method: str, routes: Sequence[BaseRoute]) -> None:
    conditional = method in SAFE_METHODS and isinstance(route, ConditionalRoute)
    changes = {parameter.get("$ref") for parameter in operation["parameters"]}
    for status, response in operation["responses"].items():
        names = [REQUEST_ID]
        if conditional or (parameter_reference(IF_MATCH)["$ref"] in changes and status == "200"):
            names.append("ETag")
        if status == "201" and has_item_route(routes, route.path):
            names.append("Location")
        if _is_idempotent(route, method):
            names.append(REPLAYED_HEADER)
        if method not in SAFE_METHODS and permission_of(route) != "public":
            names.append(CONSISTENCY_HEADER)
        response["headers"] = {**header_references(names), **response.get("headers", {})}
        if response["description"] == "Successful Response":
            response["description"] = _DESCRIPTIONS.get(status, "Done.")


_DESCRIPTIONS = {
    "200": "The result.",
    "201": "Created; the body is the new resource.",
    "202": "Accepted: the work is done in the background.",
    "204": "Done; there is no body.",
}


def _problems(operation: Document, route: APIRoute, method: str, calls: set[object]) -> Iterator[type[Problem]]:
    yield from (Problem, Unavailable, Unprocessable)
    declared = [problem for call in calls for problem in declared_problems(call)]
    yield from declared
    permission = permission_of(route)
    if permission != "public":
        yield Unauthenticated
    if permission not in ("public", "user"):
        yield Forbidden
    if require_user_session in calls:
        yield UserSessionRequired
    if "requestBody" in operation:
        yield from (BadRequest, TooLarge, UnsupportedMediaType)
    if "{" in route.path and not any(problem.code == NotFound.code for problem in declared):
        yield NotFound
    if any(parameter == parameter_reference(IF_MATCH) for parameter in operation["parameters"]):
        yield PreconditionFailed
    if _is_idempotent(route, method):
        yield from (IdempotencyKeyInvalid, IdempotencyKeyReused)
    if method not in SAFE_METHODS and "requestBody" in operation:
        yield ChangeTooLarge


def _calls(dependant: Dependant) -> Iterator[object]:
    yield dependant.call
    for inner in dependant.dependencies:
        yield from _calls(inner)
