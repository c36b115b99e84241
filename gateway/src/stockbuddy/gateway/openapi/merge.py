"""Merges several OpenAPI 3.1 documents into one. Pure functions."""

from collections.abc import Callable, Mapping
from typing import Any

OpenApiDocument = dict[str, Any]

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
SECURITY_SCHEMES = {
    "bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
    "apiKey": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
}


def merge_documents(
    documents: Mapping[str, OpenApiDocument], *, info: OpenApiDocument, is_public: Callable[[str, str], bool | None]
) -> OpenApiDocument:
    """`documents` by service. `is_public(method, path)`: whether an operation requires no credentials, or None if the
    gateway does not route it; such operations are omitted."""
    renames = {service: _renames(service, documents) for service in documents}
    merged: OpenApiDocument = {
        "openapi": "3.1.0",
        "info": info,
        "paths": {},
        "components": {"securitySchemes": SECURITY_SCHEMES},
        "security": [{scheme: []} for scheme in SECURITY_SCHEMES],
        "tags": [],
    }
    operation_ids: set[str] = set()
    for service, document in documents.items():
        renamed = _rename_references(document, renames[service])
        _add_components(merged, renamed, renames[service])
        for path, item in renamed.get("paths", {}).items():
            operations = _routed_operations(item, path, is_public)
            if not operations:
                continue
            for method, operation in operations.items():
                _finish_operation(operation, service, operation_ids, is_public=bool(is_public(method.upper(), path)))
            shared = {name: value for name, value in item.items() if name not in METHODS}
            merged["paths"].setdefault(path, {}).update({**shared, **operations})
        merged["tags"].append({"name": service, "description": document.get("info", {}).get("title", service)})
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


def _rename_references(part: Any, renames: Mapping[str, str]) -> Any:
    """A copy whose references, and discriminator mappings, use the new names."""
    if isinstance(part, dict):
        return {key: _rename_references(value, renames) for key, value in part.items()}
    if isinstance(part, list):
        return [_rename_references(value, renames) for value in part]
    if isinstance(part, str) and part.startswith("#/components/"):
        return renames.get(part, part)
    return part


def _add_components(merged: OpenApiDocument, document: OpenApiDocument, renames: Mapping[str, str]) -> None:
    for section, components in _component_sections(document):
        prefix = f"#/components/{section}/"
        target = merged["components"].setdefault(section, {})
        for name, component in components.items():
            target[renames.get(prefix + name, prefix + name).removeprefix(prefix)] = component


def _routed_operations(
    item: OpenApiDocument, path: str, is_public: Callable[[str, str], bool | None]
) -> OpenApiDocument:
    return {
        method: operation
        for method, operation in item.items()
        if method in METHODS and is_public(method.upper(), path) is not None
    }


def _finish_operation(operation: OpenApiDocument, service: str, operation_ids: set[str], *, is_public: bool) -> None:
    operation.pop("security", None)
    if is_public:
        operation["security"] = []
    operation["tags"] = operation.get("tags") or [service]
    operation_id = operation.get("operationId")
    if operation_id in operation_ids:
        operation_id = operation["operationId"] = f"{service}_{operation_id}"
    if operation_id:
        operation_ids.add(operation_id)
