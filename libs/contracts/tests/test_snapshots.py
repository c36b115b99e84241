"""The committed schemas and pages are those of the code, and no published field is lost."""

import json

from stockbuddy.contracts import snapshots
from stockbuddy.contracts.event import EVENTS


def test_the_generated_documents_are_those_of_the_code() -> None:
    stale = [path.name for path, text in snapshots.documents().items() if not path.exists() or path.read_text() != text]
    assert not stale, "run `make contracts`"


def test_no_published_event_is_lost() -> None:
    published = {path.stem for path in snapshots.SCHEMAS.glob("*.json")}
    assert published <= set(EVENTS)


def test_a_lost_field_a_new_type_and_a_doubtful_field_are_breaking_and_a_new_field_is_not() -> None:
    old = {
        "properties": {"a": {"type": "integer"}, "b": {"type": "string"}, "c": {"type": "string"}},
        "required": ["a", "b", "c"],
    }
    new = {
        "properties": {"a": {"type": "string"}, "c": {"type": "string", "title": "C"}, "d": {"type": "number"}},
        "required": ["a", "d"],
    }
    assert list(snapshots.breaking_changes(old, new)) == [
        "a is of another type",
        "b is gone",
        "c is no longer certain to be there",
    ]
    assert list(snapshots.breaking_changes(old, json.loads(json.dumps(old)))) == []
