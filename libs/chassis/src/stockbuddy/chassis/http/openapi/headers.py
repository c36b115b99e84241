"""The headers of requests and responses, documented once as components of the OpenAPI document.

They are schemas of type `string` and never null; a request header is never required. Examples are in the texts only:
the pages of the documentation would send them.
"""

from collections.abc import Iterable
from typing import Any

_STRING = {"type": "string"}

IDEMPOTENCY_KEY = "Idempotency-Key"
IF_MATCH = "If-Match"
IF_NONE_MATCH = "If-None-Match"
REQUEST_ID = "X-Request-ID"

PARAMETERS: dict[str, dict[str, Any]] = {
    IDEMPOTENCY_KEY: {
        "description": (
            "Makes the request safe to repeat: 1 to 255 characters, new for each intended change, for example a UUID "
            "or `till-3-000812`. A repetition with the same key and an equal body has no second effect and gets the"
            " stored first response with `Idempotent-Replayed: true`. The same key with another body gets 422 "
            "`idempotency_key_reused`. Keys belong to the user or the single API key and are kept for at least 7 "
            "days."
        ),
        "schema": {**_STRING, "minLength": 1, "maxLength": 255},
    },
    IF_MATCH: {
        "description": (
            "The `ETag` of the version that the change is based on. If the resource was changed since, nothing "
            "happens and the response is 412 `stale_etag`: read it again. Without the header the last write wins."
        ),
        "schema": _STRING,
    },
    IF_NONE_MATCH: {
        "description": (
            "The `ETag` of the copy that the client has. If it is current, the response is 304 without a body."
        ),
        "schema": _STRING,
    },
    REQUEST_ID: {
        "description": (
            "Identifies the request in logs, events and the response: 1 to 128 letters, digits or `._:/+=@-`. "
            "Without it, or with any other value, the server makes one (a UUID)."
        ),
        "schema": _STRING,
    },
}

HEADERS: dict[str, dict[str, Any]] = {
    REQUEST_ID: {
        "description": (
            "The request's `X-Request-ID`, or the one made for it. Give it to the operator when you report an error."
        ),
        "schema": _STRING,
    },
    "ETag": {
        "description": "The version of what was returned, in quotes: opaque, for `If-Match` and `If-None-Match`.",
        "schema": _STRING,
    },
    "Location": {"description": "The path of the resource that was created: `/api/v1/sales/17`.", "schema": _STRING},
    "Preference-Applied": {
        "description": "`respond-async` if the request's `Prefer` was followed.",
        "schema": _STRING,
    },
    "Idempotent-Replayed": {
        "description": (
            "`true` if this is the stored response to an earlier request with the same `Idempotency-Key`; otherwise"
            " absent."
        ),
        "schema": _STRING,
    },
    "Retry-After": {
        "description": "Seconds to wait before the next attempt: a whole number, at least 1.",
        "schema": _STRING,
    },
    "WWW-Authenticate": {
        "description": "The scheme that the request needs: `Bearer`, or `Basic` for OAuth2 clients.",
        "schema": _STRING,
    },
    "RateLimit-Limit": {
        "description": "Requests allowed per window for this caller, address or login; absent if no limit is set.",
        "schema": _STRING,
    },
    "RateLimit-Remaining": {
        "description": "Requests left in the current window; absent if no limit is set.",
        "schema": _STRING,
    },
    "RateLimit-Reset": {"description": "Seconds until the window ends; absent if no limit is set.", "schema": _STRING},
    "X-Consistency": {
        "description": (
            "Names the events and the position of this write. Send it with `GET /events` or `GET /audit-logs` to read "
            "the log with the write in it, or with any other read to see the write."
        ),
        "schema": _STRING,
    },
}
RATE_LIMITS = ("RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset")


def component_name(header: str) -> str:
    """`X-Request-ID` → `XRequestID`."""
    return header.replace("-", "")


def parameter_reference(header: str) -> dict[str, str]:
    return {"$ref": f"#/components/parameters/{component_name(header)}"}


def header_references(headers: Iterable[str]) -> dict[str, dict[str, str]]:
    return {header: {"$ref": f"#/components/headers/{component_name(header)}"} for header in headers}


def response_headers(status: int) -> dict[str, dict[str, str]]:
    """The headers that every response with this status has."""
    special = {401: ("WWW-Authenticate",), 429: ("Retry-After",), 503: ("Retry-After",)}
    return header_references([REQUEST_ID, *special.get(status, ())])


def components() -> dict[str, dict[str, Any]]:
    """The sections `parameters` and `headers` of a document's components."""
    return {
        "parameters": {
            component_name(name): {"name": name, "in": "header", "required": False, **parameter}
            for name, parameter in PARAMETERS.items()
        },
        "headers": {component_name(name): header for name, header in HEADERS.items()},
    }
