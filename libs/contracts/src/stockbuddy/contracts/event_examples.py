"""Examples of events for the AsyncAPI document: plausible values, derived from the JSON Schema of the data."""

import re
from collections.abc import Mapping
from typing import Any

Schema = Mapping[str, Any]
MOMENT = "2026-03-02T09:15:00Z"
_TEXTS = {
    "sku": "MUG-1",
    "name": "Mug",
    "number": "S-17",
    "currency": "EUR",
    "timezone": "Europe/Berlin",
    "username": "ada",
    "email": "ada@example.com",
    "url": "https://example.com/hooks",
    "movement_type": "sale",
    "code": "MAIN",
    "client_ip": "192.0.2.10",
    "ip_address": "192.0.2.10",
}
"""Values of texts by field name; others get the name itself, in words."""
_INITIAL = {
    **dict.fromkeys(("discount", "refunded", "cost_returned"), "0.00"),
    **dict.fromkeys(("returned", "damaged", "written_off"), 0),
    **dict.fromkeys(("voided_at", "cancelled_at", "reservation_id", "deleted_at", "notes", "reverses_id"), None),
    "status": "completed",
}
"""Values of fields of a document in its first state, if the schema accepts them."""
_FORMATS = {
    "date-time": MOMENT,
    "date": MOMENT[:10],
    "decimal": "7.50",
    "uuid": "0192f0c1-7d1c-7b7a-9a52-3f2c8a4f6a10",
    "email": "ada@example.com",
    "duration": "PT15M",
}


def example_data(schema: Schema) -> dict[str, Any]:
    """Data that the schema of an event accepts; its definitions are in `$defs`."""
    data: dict[str, Any] = _example("data", schema, schema.get("$defs", {}))
    return data


def example_headers(event_type: str, source: str, subject: str, dataschema: str) -> dict[str, str]:
    """The headers of an event with `example_data`."""
    attributes = {
        "specversion": "1.0",
        "id": _FORMATS["uuid"],
        "source": source,
        "type": event_type,
        "subject": subject,
        "time": MOMENT,
        "dataschema": dataschema,
        "partitionkey": subject,
        "actorid": "1",
        "actorname": "ada",
        "requestid": "till-3-000812",
    }
    return {f"cloudEvents_{name}": value for name, value in attributes.items()}


def _example(name: str, schema: Schema, definitions: Schema) -> Any:
    if name in _INITIAL and _accepts(schema, _INITIAL[name]):
        return _INITIAL[name]
    if "$ref" in schema:
        return _example(name, definitions[schema["$ref"].rpartition("/")[2]], definitions)
    for keyword in ("const", "default"):
        if schema.get(keyword) is not None:
            return schema[keyword]
    if "enum" in schema:
        return schema["enum"][0]
    branches = schema.get("anyOf", schema.get("allOf", ()))
    if branches:
        return _example(name, next((one for one in branches if one.get("type") != "null"), branches[0]), definitions)
    return _by_type(name, schema, definitions)


def _accepts(schema: Schema, value: Any) -> bool:
    """Whether a type of the schema is that of the value."""
    names = {type(None): {"null"}, int: {"integer", "number"}, str: {"string"}}[type(value)]
    return any(branch.get("type") in names for branch in (schema, *schema.get("anyOf", ())))


def _by_type(name: str, schema: Schema, definitions: Schema) -> Any:
    kind = schema.get("type", "string")
    if kind == "object":
        fields = schema.get("properties", {})
        return {field: _example(field, details, definitions) for field, details in fields.items()}
    if kind == "array":
        return [_example(name.removesuffix("s"), schema.get("items", {}), definitions)]
    numbers: dict[str, Any] = {
        "integer": 17 if name == "id" or name.endswith("_id") else 3,
        "number": 3,
        "boolean": True,
    }
    if kind in numbers:
        return numbers[kind]
    if "format" in schema:
        return _FORMATS.get(schema["format"], MOMENT)
    return "a" * 64 if re.search("digest|hash", name) else _TEXTS.get(name, name.replace("_", " "))
