"""The committed schemas and pages match the code; no published field is removed."""

import json

from stockbuddy.contracts import snapshots
from stockbuddy.contracts.event import EVENTS


def test_generated_documents_are_up_to_date() -> None:
    stale = [path.name for path, text in snapshots.documents().items() if not path.exists() or path.read_text() != text]
    assert not stale, "run `make contracts`"


def test_published_events_still_exist() -> None:
    published = {path.stem for path in snapshots.SCHEMAS.glob("*.json")}
    assert published <= set(EVENTS)


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
