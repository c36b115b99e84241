"""Responses from models that are serialised once and not validated again."""

from collections.abc import Mapping
from typing import Any, TypeVar

from fastapi import Response
from pydantic import BaseModel

from stockbuddy.chassis.http.idempotency import StoredResponse
from stockbuddy.chassis.http.pagination import PageQuery, PageSlice

Model = TypeVar("Model", bound=BaseModel)


def json_response(model: BaseModel, *, status: int = 200, etag: str | None = None) -> Response:
    headers: Mapping[str, str] | None = None if etag is None else {"ETag": etag}
    return Response(model.model_dump_json(), status, headers, media_type="application/json")


def page_response(found: PageSlice[Model], query: PageQuery) -> Response:
    """A page of models that are ready to be returned."""
    return json_response(found.to_page(query, _unchanged))


def stored_response(stored: StoredResponse) -> Response:
    """The first response to a request; repeats of it get `StoredResponse.to_response`."""
    return Response(stored.body or None, stored.status, dict(stored.headers), media_type="application/json")


def _unchanged(model: Any) -> Any:
    return model
