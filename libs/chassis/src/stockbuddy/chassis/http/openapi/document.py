"""Assembles the OpenAPI document of a service from what FastAPI generates."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from fastapi.routing import APIRoute

from stockbuddy.chassis.http.openapi import headers
from stockbuddy.chassis.http.openapi.operations import complete_operation
from stockbuddy.chassis.http.openapi.problems import add_base_schemas
from stockbuddy.chassis.http.openapi.schemas import clean_schema, name_bodies, name_pages
from stockbuddy.chassis.http.openapi.texts import COMMON, Texts

Document = dict[str, Any]
_REPLACED_SCHEMAS = ("HTTPValidationError", "ValidationError")
"""FastAPI's own, which are not what is returned."""


class DocumentedAPI(FastAPI):
    """FastAPI whose document also describes what the chassis adds to every route."""

    texts: Path | None = None
    """The service's descriptions."""

    def openapi(self) -> Document:
        if self.openapi_schema is None:
            self.openapi_schema = _complete(super().openapi(), self.state.routes, self.texts)
        return self.openapi_schema


def _complete(document: Document, routes: Sequence[Any], texts_file: Path | None) -> Document:
    document.setdefault("components", {}).setdefault("schemas", {})
    document = name_pages(document)
    name_bodies(document)
    components, schemas = document["components"], document["components"]["schemas"]
    for name in _REPLACED_SCHEMAS:
        schemas.pop(name, None)
    components |= headers.components()
    clean_schema(document)
    add_base_schemas(schemas)
    texts = Texts([texts_file, COMMON] if texts_file else [COMMON])
    for route in routes:
        if isinstance(route, APIRoute) and route.include_in_schema:
            for method in route.methods or ():
                operation = document["paths"][route.path_format][method.lower()]
                complete_operation(document, operation, route, method, routes)
                texts.describe_operation(operation)
    texts.describe_schemas(schemas)
    document["tags"] = [{"name": name, "description": text} for name, text in texts.tags.items()]
    return document
