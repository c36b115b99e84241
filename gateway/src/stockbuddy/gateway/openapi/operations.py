"""What the gateway adds to every operation of a service: security, rate limits, and its own problems."""

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

from stockbuddy.chassis.http.errors import BadRequest, Problem, TooLarge, TooManyRequests, Unauthenticated, Unavailable
from stockbuddy.chassis.http.openapi.headers import RATE_LIMITS, header_references
from stockbuddy.chassis.http.openapi.problems import add_problem_responses, codes_of, references_of
from stockbuddy.chassis.http.request_bodies import UnsupportedMediaType
from stockbuddy.gateway.errors import (
    CsrfFailed,
    HttpsRequired,
    NetworkNotAllowed,
    RequestTimeout,
    ServiceTimeout,
    UnknownHost,
)
from stockbuddy.gateway.openapi.security import permission_sentence, security_of
from stockbuddy.gateway.routing.routes import Auth

Document = dict[str, Any]
INTERACTIVE = "x-interactive"
MAX_NAMED_CODES = 4
"""A response with more codes would have too long a name."""


def complete_operation(document: Document, operation: Document, method: str, auth: Auth) -> None:
    """Complete a service's description in place."""
    permission = operation.get("x-permission", "user")
    is_interactive = bool(operation.pop(INTERACTIVE, False))
    operation["security"] = security_of(method, auth, is_interactive=is_interactive)
    sentence = permission_sentence(permission, is_interactive=is_interactive)
    operation["description"] = f"{operation.get('description', '')}\n\n{sentence}".strip()
    add_problem_responses(document, operation, _problems(operation, method, auth))
    for response in operation["responses"].values():
        response["headers"] = response.get("headers", {}) | header_references(RATE_LIMITS)


def _problems(operation: Document, method: str, auth: Auth) -> Iterator[type[Problem]]:
    yield from (BadRequest, HttpsRequired, UnknownHost, TooManyRequests, Problem, Unavailable, ServiceTimeout)
    if auth is not Auth.PUBLIC:
        yield from (Unauthenticated, NetworkNotAllowed)
        if method != "get":
            yield CsrfFailed
    if "requestBody" in operation:
        yield from (RequestTimeout, TooLarge, UnsupportedMediaType)


def share_responses(document: Document) -> None:
    """Move error responses that occur several times to the components, each named after its codes. Those that say what
    a code means for their operation stay there."""
    operations = [operation for item in document["paths"].values() for operation in item.values()]
    errors = [
        (operation["responses"], status, json.dumps(response, sort_keys=True))
        for operation in operations
        for status, response in operation["responses"].items()
        if status >= "400"
    ]
    counts = Counter(encoded for _, _, encoded in errors)
    shared = document["components"].setdefault("responses", {})
    for responses, status, encoded in errors:
        codes = codes_of(responses[status])
        is_shared = counts[encoded] > 1 and _is_general(responses[status], document["components"]["schemas"])
        if is_shared and len(codes) <= MAX_NAMED_CODES:
            name = "Or".join("".join(word.capitalize() for word in code.split("_")) for code in codes)
            if shared.setdefault(name, responses[status]) == responses[status]:
                responses[status] = {"$ref": f"#/components/responses/{name}"}


def _is_general(response: Document, schemas: Document) -> bool:
    """Whether its codes mean what they mean everywhere."""
    lines = response["description"].splitlines()
    return all(
        f"- `{code}`: {schemas[reference.rpartition('/')[2]]['description']}" in lines
        for code, reference in references_of(response).items()
    )
