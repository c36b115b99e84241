"""Ready answers: models that are JSON already, so that nothing is validated or built twice."""

from collections.abc import Mapping

from fastapi import Response
from pydantic import BaseModel

from stockbuddy.chassis.http.idempotency import Answer


def shown(model: BaseModel, *, status: int = 200, etag: str | None = None) -> Response:
    headers: Mapping[str, str] | None = None if etag is None else {"ETag": etag}
    return Response(model.model_dump_json(), status, headers, media_type="application/json")


def answered(answer: Answer) -> Response:
    """The first answer of a request that may be repeated."""
    return Response(answer.body or None, answer.status, media_type="application/json")
