"""Makes one OpenAPI document out of several (OpenAPI 3.1). Pure: documents in, document out."""

from collections.abc import Callable, Mapping
from typing import Any

Document = dict[str, Any]

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
SECURITY_SCHEMES = {
    "bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
    "apiKey": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
}


def merge_documents(
    documents: Mapping[str, Document], *, info: Document, is_open: Callable[[str, str], bool | None]
) -> Document:
    """`documents` by service. `is_open(method, path)` says whether an operation needs no credentials, or None when it
    can't be reached from outside and so is left out."""
    renames = {service: _renames(service, documents) for service in documents}
    merged: Document = {
        "openapi": "3.1.0",
        "info": info,
        "paths": {},
        "components": {"securitySchemes": SECURITY_SCHEMES},
        "security": [{scheme: []} for scheme in SECURITY_SCHEMES],
        "tags": [],
    }
    operation_ids: set[str] = set()
    for service, document in documents.items():
        renamed = _with_references(document, renames[service])
        _add_components(merged, renamed, renames[service])
        for path, item in renamed.get("paths", {}).items():
            operations = _reachable(item, path, is_open)
            if not operations:
                continue
            for method, operation in operations.items():
                _finish_operation(operation, service, operation_ids, is_open=bool(is_open(method.upper(), path)))
            shared = {name: value for name, value in item.items() if name not in METHODS}
            merged["paths"].setdefault(path, {}).update({**shared, **operations})
        merged["tags"].append({"name": service, "description": document.get("info", {}).get("title", service)})
    return merged


def _renames(service: str, documents: Mapping[str, Document]) -> dict[str, str]:
    """`#/components/schemas/Page` → `#/components/schemas/StockPage` for names that others give something else."""
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


def _component_sections(document: Document) -> list[tuple[str, Document]]:
    sections = document.get("components", {}).items()
    return [(section, components) for section, components in sections if section != "securitySchemes"]


def _with_references(part: Any, renames: Mapping[str, str]) -> Any:
    """A copy in which references (also a discriminator's mapping) point to the new names."""
    if isinstance(part, dict):
        return {key: _with_references(value, renames) for key, value in part.items()}
    if isinstance(part, list):
        return [_with_references(value, renames) for value in part]
    if isinstance(part, str) and part.startswith("#/components/"):
        return renames.get(part, part)
    return part


def _add_components(merged: Document, document: Document, renames: Mapping[str, str]) -> None:
    for section, components in _component_sections(document):
        prefix = f"#/components/{section}/"
        target = merged["components"].setdefault(section, {})
        for name, component in components.items():
            target[renames.get(prefix + name, prefix + name).removeprefix(prefix)] = component


def _reachable(item: Document, path: str, is_open: Callable[[str, str], bool | None]) -> Document:
    return {
        method: operation
        for method, operation in item.items()
        if method in METHODS and is_open(method.upper(), path) is not None
    }


def _finish_operation(operation: Document, service: str, operation_ids: set[str], *, is_open: bool) -> None:
    operation.pop("security", None)
    if is_open:
        operation["security"] = []
    operation["tags"] = operation.get("tags") or [service]
    operation_id = operation.get("operationId")
    if operation_id in operation_ids:
        operation_id = operation["operationId"] = f"{service}_{operation_id}"
    if operation_id:
        operation_ids.add(operation_id)
