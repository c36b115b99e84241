"""`Location` of a created resource (RFC 9110 §15.3.2)."""

import json
from collections.abc import Sequence

from fastapi import Request, Response
from starlette.routing import BaseRoute, Route


def add_location(request: Request, response: Response) -> None:
    """Add `Location` to a 201 whose body has the `id` of a resource that has a URL below the collection's."""
    if (resource_id := _id_of(bytes(response.body))) is not None:
        response.headers["Location"] = f"{request.url.path}/{resource_id}"


def has_item_route(routes: Sequence[BaseRoute], collection: str) -> bool:
    """Whether one of `routes` reads a single resource of the collection at this path."""
    return any(
        isinstance(route, Route)
        and "GET" in (route.methods or ())
        and route.path.rpartition("/")[0] == collection
        and route.path.endswith("}")
        for route in routes
    )


def _id_of(body: bytes) -> str | None:
    document = json.loads(body) if body else None
    found = document.get("id") if isinstance(document, dict) else None
    return str(found) if isinstance(found, int | str) else None
