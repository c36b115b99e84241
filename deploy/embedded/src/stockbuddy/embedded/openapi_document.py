"""Writes docs/openapi.json, the gateway's document of the public API. `make contracts` runs it."""

import json
from pathlib import Path

from stockbuddy.embedded.system import System
from stockbuddy.gateway.openapi.registry import public_document

DOCUMENT = Path(__file__).resolve().parents[5] / "docs" / "openapi.json"
UNUSED_DATABASE = "postgresql://unused@127.0.0.1/unused"
"""The services are created and not started."""


def openapi_document() -> str:
    """The document as the gateway serves it, without `servers`, which depend on the request."""
    system = System(UNUSED_DATABASE, env="development")
    document = public_document({name: service.openapi() for name, service in system.services.items()})
    return json.dumps(document, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    DOCUMENT.write_text(openapi_document(), encoding="utf-8")
