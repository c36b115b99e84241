"""What has been published of the contracts: a JSON Schema for each event, docs/events.md and an AsyncAPI 3 document.

`python -m stockbuddy.contracts.snapshots` writes them, and refuses a change that would break a reader:
a breaking change is a new type with a `.v2` suffix, published beside the old one for a while.
"""

import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from stockbuddy.contracts import auth, catalog, notifications, stock, topology
from stockbuddy.contracts.event import EVENTS, Event

PRODUCERS = (auth, catalog, notifications, stock)
"""Imported for their events, which register themselves."""

REPOSITORY = Path(__file__).resolve().parents[5]
SCHEMAS = REPOSITORY / "libs" / "contracts" / "schemas"
EVENTS_PAGE = REPOSITORY / "docs" / "events.md"
ASYNCAPI = REPOSITORY / "docs" / "asyncapi.json"


def published_events() -> list[tuple[str, type[Event]]]:
    """By type; what a test has made up is no event of a producer."""
    return sorted((name, event) for name, event in EVENTS.items() if name.partition(".")[0] in topology.PRODUCERS)


def schema_of(event: type[Event]) -> dict[str, Any]:
    """The JSON Schema of the event's data, as its readers see it."""
    schema = event.model_json_schema(mode="serialization")
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": event.dataschema(), **schema}


def documents() -> dict[Path, str]:
    """Every generated file and its text."""
    files = {SCHEMAS / f"{name}.json": _json(schema_of(event)) for name, event in published_events()}
    return {**files, EVENTS_PAGE: _events_page(), ASYNCAPI: _json(_asyncapi())}


def breaking_changes(old: Mapping[str, Any], new: Mapping[str, Any], at: str = "") -> Iterator[str]:
    """What a reader of `old` could miss in `new`: fields that are gone, optional where they were certain,
    or of another type. New fields break nobody."""
    for name, field in old.get("properties", {}).items():
        where = f"{at}{name}"
        if name not in new.get("properties", {}):
            yield f"{where} is gone"
            continue
        changed = new["properties"][name]
        if _type(field) != _type(changed):
            yield f"{where} is of another type"
        if name in old.get("required", []) and name not in new.get("required", []):
            yield f"{where} is no longer certain to be there"
    for name, definition in old.get("$defs", {}).items():
        yield from breaking_changes(definition, new.get("$defs", {}).get(name, {}), f"{at}{name}.")


def _type(field: Mapping[str, Any]) -> str:
    described = {"title", "description", "default", "examples"}
    return json.dumps({key: value for key, value in field.items() if key not in described}, sort_keys=True)


def _events_page() -> str:
    lines = [
        "# Events",
        "",
        "Generated from `libs/contracts` (`make contracts`). CloudEvents 1.0 in binary mode on the topic exchange",
        f"`{topology.EVENTS_EXCHANGE}`; the routing key is the type. Fields ending in `?` may be missing or null.",
        "The JSON Schema of each lies in `libs/contracts/schemas`, the AsyncAPI document in `docs/asyncapi.json`.",
        "",
        "| type | about | data |",
        "| --- | --- | --- |",
    ]
    for name, event in published_events():
        fields = ", ".join(n if f.is_required() else f"{n}?" for n, f in event.model_fields.items())
        lines.append(f"| `{name}` | `{event.subject_template}` | {fields} |")
    lines += ["", "## Queues", "", "| queue | hears |", "| --- | --- |"]
    lines += [f"| `{group}` | {', '.join(f'`{p}`' for p in ps)} |" for group, ps in topology.CONSUMER_GROUPS.items()]
    return "\n".join(lines) + "\n"


def _asyncapi() -> dict[str, Any]:
    names = [name for name, _ in published_events()]
    return {
        "asyncapi": "3.0.0",
        "info": {"title": "Stockbuddy events", "version": "1.0.0", "license": {"name": "MIT"}},
        "defaultContentType": "application/json",
        "channels": {name: _channel(name) for name in names},
        "operations": {f"hear.{name}": {"action": "send", "channel": {"$ref": f"#/channels/{name}"}} for name in names},
        "components": {
            "messages": {
                name: {
                    "name": name,
                    "contentType": "application/json",
                    "payload": {
                        "schemaFormat": "application/schema+json;version=draft-07",
                        "schema": EVENTS[name].model_json_schema(mode="serialization"),
                    },
                }
                for name in names
            }
        },
    }


def _channel(name: str) -> dict[str, Any]:
    return {
        "address": name,
        "messages": {name: {"$ref": f"#/components/messages/{name}"}},
        "bindings": {
            "amqp": {
                "is": "routingKey",
                "exchange": {"name": topology.EVENTS_EXCHANGE, "type": "topic", "durable": True},
            }
        },
    }


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
        print("These changes break readers; publish a new type instead:", *broken, sep="\n  ", file=sys.stderr)
        return 1
    SCHEMAS.mkdir(exist_ok=True)
    wanted = documents()
    for path, content in wanted.items():
        path.write_text(content)
    return 0


if __name__ == "__main__":
    sys.exit(main())
