"""Writes docs/openapi.json, the gateway's document of the public API, and openapi.json of every service, which it
serves. `make contracts` runs it."""

import json
from pathlib import Path

from stockbuddy.chassis.http.openapi.document import encode
from stockbuddy.embedded.service_registry import SERVICES
from stockbuddy.embedded.system import System
from stockbuddy.gateway.openapi.registry import public_document

DOCUMENT = Path(__file__).resolve().parents[5] / "docs" / "openapi.json"
UNUSED_DATABASE = "postgresql://unused@127.0.0.1/unused"
"""The services are created and not started."""


def openapi_documents() -> dict[Path, str]:
    """By file. The public one is without `servers`, which depend on the request."""
    system = System(UNUSED_DATABASE, env="development")
    documents = {name: service.openapi() for name, service in system.services.items()}
    files = {
        embedded.service.document: encode(documents[embedded.name]).decode()
        for embedded in SERVICES
        if embedded.service.document is not None
    }
    public = json.dumps(public_document(documents), indent=1, sort_keys=True, ensure_ascii=False) + "\n"
    return {**files, DOCUMENT: public}


if __name__ == "__main__":
    for file, content in openapi_documents().items():
        file.write_text(content, encoding="utf-8")
