"""Merges several OpenAPI 3.1 documents into one. Pure functions."""

from collections.abc import Callable, Mapping
from typing import Any

from stockbuddy.chassis.http.openapi import headers
from stockbuddy.chassis.http.openapi.schemas import rename_references
from stockbuddy.gateway.openapi.operations import complete_operation, share_responses
from stockbuddy.gateway.openapi.security import SECURITY_SCHEMES
from stockbuddy.gateway.routing.routes import Auth

OpenApiDocument = dict[str, Any]

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
AuthenticationOf = Callable[[str, str], Auth | None]


def merge_documents(
    documents: Mapping[str, OpenApiDocument],
    *,
    info: OpenApiDocument,
    servers: list[OpenApiDocument],
    authentication_of: AuthenticationOf,
) -> OpenApiDocument:
    """`documents` by service. `authentication_of(method, path)`: what an operation requires of credentials, or None if
    the gateway does not route it; such operations are omitted."""
    renames = {service: _renames(service, documents) for service in documents}
    merged: OpenApiDocument = {
        "openapi": "3.1.0",
        "info": info,
        "servers": servers,
        "paths": {},
        "components": {"securitySchemes": SECURITY_SCHEMES, **headers.components()},
        "security": [],
        "tags": [],
    }
    operation_ids: set[str] = set()
    for service, document in documents.items():
        renamed = rename_references(document, renames[service])
        _add_components(merged, renamed, renames[service])
        for path, item in renamed.get("paths", {}).items():
            operations = _routed_operations(item, path, authentication_of)
            for method, operation in operations.items():
                _finish_operation(operation, service, operation_ids)
                complete_operation(merged, operation, method, authentication_of(method.upper(), path) or Auth.PUBLIC)
            if operations:
                shared = {name: value for name, value in item.items() if name not in METHODS}
                merged["paths"].setdefault(path, {}).update({**shared, **operations})
        tags = document.get("tags") or [{"name": service, "description": document["info"]["title"]}]
        merged["tags"] += [tag for tag in tags if tag not in merged["tags"]]
    share_responses(merged)
    return merged


def _renames(service: str, documents: Mapping[str, OpenApiDocument]) -> dict[str, str]:
    """`#/components/schemas/Page` → `#/components/schemas/StockPage`, for names that services define differently."""
    renames = {}
    for section, components in _component_sections(documents[service]):
        for name, component in components.items():
            others = (
                other.get("components", {}).get(section, {}).get(name)
                for other_service, other in documents.items()
                if other_service != service
            )
            if any(other is not None and other != component for other in others):
                prefix = f"#/components/{section}/"
                renames[prefix + name] = prefix + service.capitalize() + name
    return renames


def _component_sections(document: OpenApiDocument) -> list[tuple[str, OpenApiDocument]]:
    sections = document.get("components", {}).items()
    return [(section, components) for section, components in sections if section != "securitySchemes"]


def _add_components(merged: OpenApiDocument, document: OpenApiDocument, renames: Mapping[str, str]) -> None:
    for section, components in _component_sections(document):
        prefix = f"#/components/{section}/"
        target = merged["components"].setdefault(section, {})
        for name, component in components.items():
            target[renames.get(prefix + name, prefix + name).removeprefix(prefix)] = component


def _routed_operations(item: OpenApiDocument, path: str, authentication_of: AuthenticationOf) -> OpenApiDocument:
    return {
        method: operation
        for method, operation in item.items()
        if method in METHODS and authentication_of(method.upper(), path) is not None
    }


def _finish_operation(operation: OpenApiDocument, service: str, operation_ids: set[str]) -> None:
    operation["tags"] = operation.get("tags") or [service]
    operation_id = operation.get("operationId")
    if operation_id in operation_ids:
        operation_id = operation["operationId"] = f"{service}_{operation_id}"
    if operation_id:
        operation_ids.add(operation_id)
