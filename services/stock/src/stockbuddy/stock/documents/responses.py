"""Responses to requests that create or change a document."""

from typing import Protocol

from stockbuddy.chassis.http.etags import version_etag
from stockbuddy.chassis.http.idempotency import StoredResponse


class _Document(Protocol):
    @property
    def version(self) -> int: ...

    def model_dump_json(self) -> str: ...


def document_response(status: int, document: _Document) -> StoredResponse:
    """The document, with the entity tag that reading it gives."""
    return StoredResponse(status, document.model_dump_json(), {"ETag": version_etag(document.version)})
