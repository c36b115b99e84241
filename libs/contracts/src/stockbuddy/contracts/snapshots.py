"""Generates the published contracts: a JSON Schema for each event, docs/events.md and an AsyncAPI 3 document.

`python -m stockbuddy.contracts.snapshots` rejects a change that would break a consumer: publish a new type with the
suffix `.v2` beside the old one instead.
"""

import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from stockbuddy.contracts import auth, catalog, notifications, stock, topology
from stockbuddy.contracts.asyncapi import asyncapi_document
from stockbuddy.contracts.event import EVENTS, Event
from stockbuddy.contracts.events_page import events_page
from stockbuddy.contracts.field_permissions import KEY

PRODUCERS = (auth, catalog, notifications, stock)
"""Imported so that their events are registered."""

REPOSITORY = Path(__file__).resolve().parents[5]
SCHEMAS = REPOSITORY / "libs" / "contracts" / "schemas"
EVENTS_PAGE = REPOSITORY / "docs" / "events.md"
ASYNCAPI = REPOSITORY / "docs" / "asyncapi.json"
EXAMPLE = REPOSITORY / "examples" / "consumer.py"


def published_events() -> list[tuple[str, type[Event]]]:
    """The events of the producers, sorted by type; excludes events defined by tests."""
    return sorted((name, event) for name, event in EVENTS.items() if name.partition(".")[0] in topology.PRODUCERS)


def schema_of(event: type[Event]) -> dict[str, Any]:
    """The JSON Schema of the event's data, as consumers receive it."""
    schema = event.model_json_schema(mode="serialization")
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": event.dataschema(), **schema}


def documents() -> dict[Path, str]:
    """The generated files and their contents."""
    files = {SCHEMAS / f"{name}.json": _json(schema_of(event)) for name, event in published_events()}
    events = published_events()
    page = events_page(events, EXAMPLE.read_text())
    return {**files, EVENTS_PAGE: page, ASYNCAPI: _json(asyncapi_document(events))}


def breaking_changes(old: Mapping[str, Any], new: Mapping[str, Any], at: str = "") -> Iterator[str]:
    """Changes from `old` to `new` that break consumers: fields that are removed, no longer required, or of another
    type. New fields are compatible."""
    for name, field in old.get("properties", {}).items():
        where = f"{at}{name}"
        if name not in new.get("properties", {}):
            yield f"{where} is removed"
            continue
        changed = new["properties"][name]
        if _type(field) != _type(changed):
            yield f"{where} has another type"
        if name in old.get("required", []) and name not in new.get("required", []):
            yield f"{where} is no longer required"
    for name, definition in old.get("$defs", {}).items():
        yield from breaking_changes(definition, new.get("$defs", {}).get(name, {}), f"{at}{name}.")


def _type(field: Mapping[str, Any]) -> str:
    """The format `decimal` and the permission of a field are annotations: the values are the same without them."""
    described = {"title", "description", "default", "examples", KEY}
    kept = {
        key: value for key, value in field.items() if key not in described and (key, value) != ("format", "decimal")
    }
    branches = [json.loads(_type(branch)) for branch in field.get("anyOf", ())]
    return json.dumps(kept | ({"anyOf": branches} if branches else {}), sort_keys=True)


def _json(document: Any) -> str:
    return json.dumps(document, indent=2, sort_keys=True) + "\n"


def main() -> int:
    broken = [
        f"{name}: {change}"
        for name, event in published_events()
        if (published := SCHEMAS / f"{name}.json").exists()
        for change in breaking_changes(json.loads(published.read_text()), schema_of(event))
    ]
    if broken:
        print("These changes break consumers; publish a new event type instead:", *broken, sep="\n  ", file=sys.stderr)
        return 1
    SCHEMAS.mkdir(exist_ok=True)
    wanted = documents()
    for path, content in wanted.items():
        path.write_text(content)
    return 0


if __name__ == "__main__":
    sys.exit(main())
