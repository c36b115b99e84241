"""Conditional requests (RFC 9110 §13): entity tags, 304 if the client's copy is current, 412 if it is stale."""

import hashlib
from collections.abc import Callable, Coroutine
from typing import Annotated, Any

from fastapi import Header, Request, Response

from stockbuddy.chassis.access.hidden_fields import hidden_names, remove_fields
from stockbuddy.chassis.http.authentication import authenticate
from stockbuddy.chassis.http.entity_tags import matches
from stockbuddy.chassis.http.errors import PreconditionFailed
from stockbuddy.chassis.http.idempotency import IdempotentRoute
from stockbuddy.chassis.http.pagination import Page
from stockbuddy.contracts.field_permissions import restricted_fields

Handler = Callable[[Request], Coroutine[Any, Any, Response]]


def version_etag(version: int) -> str:
    return f'"{version}"'


LIMITED = "-limited"
"""Ends the tag of a response without the fields that its caller may not see: it is another representation."""

IfMatch = Annotated[str | None, Header(alias="If-Match")]
"""The request's `If-Match` header, for `require_match`."""


def require_match(if_match: str | None, current: str) -> None:
    """Raises PreconditionFailed if `if_match` names another version than `current`."""
    if if_match is not None and not matches(if_match.replace(f'{LIMITED}"', '"'), current):
        raise PreconditionFailed()


class ConditionalRoute(IdempotentRoute):
    """Route class whose GETs carry an entity tag (the handler's, or a digest of the body) and return 304 if it matches
    `If-None-Match`. Its POSTs are idempotent (see `IdempotentRoute`)."""

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        if "GET" in (options.get("methods") or ()):
            options["responses"] = {304: {"description": "Not Modified"}, **(options.get("responses") or {})}
        super().__init__(path, endpoint, **options)

    def get_route_handler(self) -> Handler:
        handle = self._without_hidden_fields(super().get_route_handler())
        if not self.methods or "GET" not in self.methods:
            return handle

        async def handle_conditionally(request: Request) -> Response:
            response = await handle(request)
            body = getattr(response, "body", None)
            if response.status_code != 200 or body is None:
                return response
            etag = response.headers.get("etag") or f'W/"{hashlib.blake2b(body, digest_size=12).hexdigest()}"'
            response.headers["ETag"] = etag
            response.headers.setdefault("Cache-Control", "private, no-cache")
            known = request.headers.get("if-none-match")
            if known is not None and matches(known, etag):
                return Response(status_code=304, headers={"ETag": etag, "Cache-Control": "private, no-cache"})
            return response

        return handle_conditionally

    def _without_hidden_fields(self, handle: Handler) -> Handler:
        """Of a model with fields that need a permission, the caller gets those that they may see; also when a stored
        response is repeated, because their permissions may have changed since."""
        model = self.response_model
        is_page = isinstance(model, type) and issubclass(model, Page)
        restricted = restricted_fields(model.model_fields["items"].annotation if is_page else model)
        if not restricted:
            return handle

        async def handle_and_hide(request: Request) -> Response:
            response = await handle(request)
            names = hidden_names(restricted, (await authenticate(request)).permissions)
            if names and response.headers.get("Content-Type") == "application/json":
                _hide(response, names, is_page=is_page)
            return response

        return handle_and_hide


def _hide(response: Response, names: frozenset[str], *, is_page: bool) -> None:
    body = bytes(response.body)
    response.body = _without(body, names) if is_page else remove_fields(body, names)
    response.headers["Content-Length"] = str(len(response.body))
    if etag := response.headers.get("ETag"):
        response.headers["ETag"] = f'{etag[:-1]}{LIMITED}"'


def _without(page: bytes, names: frozenset[str]) -> bytes:
    """In the items only: the counts of a page have names, such as `total`, that its items may use for amounts."""
    items, separator, counts = page.rpartition(b'],"page":')
    end = b"]}"
    return remove_fields(items + end, names).removesuffix(end) + separator + counts
