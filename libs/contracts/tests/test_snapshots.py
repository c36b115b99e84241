"""The committed schemas and pages match the code; no published field is removed."""

import json
from collections.abc import Iterator
from typing import Any

from stockbuddy.contracts import snapshots
from stockbuddy.contracts.event import EVENTS


def test_generated_documents_are_up_to_date() -> None:
    stale = [path.name for path, text in snapshots.documents().items() if not path.exists() or path.read_text() != text]
    assert not stale, "run `make contracts`"


def test_published_events_still_exist() -> None:
    published = {path.stem for path in snapshots.SCHEMAS.glob("*.json")}
    assert published <= set(EVENTS)


def test_references_of_the_asyncapi_document_resolve_within_it() -> None:
    document = json.loads(snapshots.ASYNCAPI.read_text())
    references = list(references_in(document))
    assert len(references) > len(EVENTS)
    for reference in references:
        part = document
        for name in reference.removeprefix("#/").split("/"):
            part = part[name]
        assert isinstance(part, dict), reference
    message = document["components"]["messages"]["stock.movement.posted"]
    assert message["headers"] == {"$ref": "#/components/schemas/CloudEventHeaders"}


def test_every_event_has_an_example_that_its_class_accepts() -> None:
    document = json.loads(snapshots.ASYNCAPI.read_text())
    for name, event in snapshots.published_events():
        [example] = document["components"]["messages"][name]["examples"]
        data = event.model_validate(example["payload"])
        assert set(example["payload"]) == set(event.model_json_schema(mode="serialization")["properties"])
        headers = example["headers"]
        assert (headers["cloudEvents_type"], headers["cloudEvents_subject"]) == (name, data.subject())
        assert set(headers) <= set(document["components"]["schemas"]["CloudEventHeaders"]["properties"])


def test_asyncapi_document_states_guarantees_and_bindings() -> None:
    document = json.loads(snapshots.ASYNCAPI.read_text())
    assert "at least once" in document["info"]["description"]
    assert "Order" in document["info"]["description"]
    for channel in document["channels"].values():
        assert channel["bindings"]["amqp"]["exchange"]["name"] == "stockbuddy.events"
    for operation in document["operations"].values():
        assert operation["bindings"]["amqp"]["deliveryMode"] == 2


def references_in(part: Any) -> Iterator[str]:
    if isinstance(part, dict):
        yield from ([part["$ref"]] if isinstance(part.get("$ref"), str) else [])
        part = list(part.values())
    if isinstance(part, list):
        for inner in part:
            yield from references_in(inner)


def test_removed_retyped_and_optional_fields_are_breaking_and_new_fields_are_not() -> None:
    old = {
        "properties": {"a": {"type": "integer"}, "b": {"type": "string"}, "c": {"type": "string"}},
        "required": ["a", "b", "c"],
    }
    new = {
        "properties": {"a": {"type": "string"}, "c": {"type": "string", "title": "C"}, "d": {"type": "number"}},
        "required": ["a", "d"],
    }
    assert list(snapshots.breaking_changes(old, new)) == [
        "a has another type",
        "b is removed",
        "c is no longer required",
    ]
    assert list(snapshots.breaking_changes(old, json.loads(json.dumps(old)))) == []
