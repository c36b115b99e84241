"""What clients rely on, one line each, from the OpenAPI document; a line that disappears is a breaking change.

docs/api-promises.txt has the lines of the last release. `python -m stockbuddy.embedded.api_promises` writes those of
the current document when a version is released (docs/releasing.md).
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from stockbuddy.embedded.openapi_document import DOCUMENT

Document = Mapping[str, Any]
PROMISES = DOCUMENT.with_name("api-promises.txt")


def promises(document: Document) -> set[str]:
    """Operations, what they accept without requiring more, and what their responses contain."""
    return set(_operations(document)) | set(_schemas(document))


def _operations(document: Document) -> Iterator[str]:
    for path, item in document["paths"].items():
        for method, operation in item.items():
            name = f"{method.upper()} {path}"
            yield f"{name} is {operation['operationId']}, for {operation['x-permission']}"
            parameters = [_resolve(document, parameter) for parameter in operation["parameters"]]
            for parameter in parameters:
                yield f"{name} accepts {parameter['in']} {parameter['name']}: {_type(parameter['schema'])}"
            required = sorted(one["name"] for one in parameters if one.get("required"))
            yield f"{name} requires no parameters but [{', '.join(required)}]"
            for media_type, content in operation.get("requestBody", {}).get("content", {}).items():
                yield f"{name} accepts {media_type}: {_type(content['schema'])}"
            yield from _responses(document, name, operation)


def _responses(document: Document, name: str, operation: Document) -> Iterator[str]:
    for status, response in operation["responses"].items():
        for media_type, content in _resolve(document, response).get("content", {}).items():
            if status < "300":
                yield f"{name} returns {status} {media_type}: {_type(content['schema'])}"


def _schemas(document: Document) -> Iterator[str]:
    requests = reachable_schemas(document, [_bodies(operation) for operation in _all_operations(document)])
    for name, schema in document["components"]["schemas"].items():
        required = schema.get("required", [])
        for field, details in schema.get("properties", {}).items():
            always = " always" if field in required and name not in requests else ""
            yield f"{name}.{field}{always}: {_type(details)}"
            yield from (f"{name}.{field} knows {value}" for value in _values(details))
        if name in requests:
            yield f"{name} requires no fields but [{', '.join(sorted(required))}]"
        yield from (f"{name} knows {value}" for value in schema.get("enum", ()))


def _all_operations(document: Document) -> Iterator[Document]:
    for item in document["paths"].values():
        yield from item.values()


def _bodies(operation: Document) -> list[Document]:
    return [content["schema"] for content in operation.get("requestBody", {}).get("content", {}).values()]


def reachable_schemas(document: Mapping[str, Any], parts: object) -> set[str]:
    """The names of the schemas that `parts` refer to, directly or not."""
    waiting, found = _references(parts), set[str]()
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting |= _references(document["components"]["schemas"][name])
    return found


def _references(part: object) -> set[str]:
    if isinstance(part, Mapping):
        here = {str(part["$ref"]).rpartition("/")[2]} if "$ref" in part else set()
        return here.union(*map(_references, part.values()))
    return set().union(*map(_references, part)) if isinstance(part, list) else set()


def _resolve(document: Document, part: Document) -> Document:
    if "$ref" not in part:
        return part
    _, _, section, name = part["$ref"].split("/")
    found: Document = document["components"][section][name]
    return found


def _type(schema: Document) -> str:
    """The type without limits and values: `string | null`, `[SaleLine]`."""
    if "$ref" in schema:
        return str(schema["$ref"].rpartition("/")[2])
    for keyword in ("anyOf", "oneOf"):
        if keyword in schema:
            return " | ".join(sorted({_type(branch) for branch in schema[keyword]}))
    if "enum" in schema or "const" in schema:
        return "one of some values"
    if schema.get("type") == "array":
        return f"[{_type(schema.get('items', {}))}]"
    return f"{schema.get('type', 'anything')}{' ' + schema['format'] if 'format' in schema else ''}"


def _values(schema: Document) -> Iterator[object]:
    """The values that a field may have, of a type that lists them; a new one breaks nothing."""
    yield from schema.get("enum", ())
    for branch in (*schema.get("anyOf", ()), *filter(None, [schema.get("items")])):
        yield from _values(branch)


def released_promises(path: Path = PROMISES) -> set[str]:
    return set(path.read_text(encoding="utf-8").splitlines())


if __name__ == "__main__":
    lines = sorted(promises(json.loads(DOCUMENT.read_text(encoding="utf-8"))))
    PROMISES.write_text("\n".join(lines) + "\n", encoding="utf-8")
