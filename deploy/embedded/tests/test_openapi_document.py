"""docs/openapi.json, from which the client libraries are generated."""

from stockbuddy.embedded.openapi_document import DOCUMENT, openapi_document


def test_committed_openapi_document_is_current() -> None:
    assert DOCUMENT.read_text(encoding="utf-8") == openapi_document(), "run `make contracts`"
