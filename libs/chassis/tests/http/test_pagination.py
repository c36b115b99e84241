"""Cursors: exact keys, and rejection of forged ones."""

import base64
import json
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, Literal
from uuid import UUID

import pytest

from stockbuddy.chassis.http.errors import Unprocessable
from stockbuddy.chassis.http.pagination import PageQuery, encode_cursor

KEY = [
    7,
    "Tea; größer",
    Decimal("19.9900"),
    datetime(2026, 3, 1, 12, 30, 0, 123456, tzinfo=UTC),
    date(2026, 3, 1),
    UUID("0193a8c0-0000-7000-8000-000000000001"),
]


class ThingFilter(PageQuery):
    sort_by: Literal["name_asc", "created_desc"] | None = "name_asc"


def test_cursor_carries_its_sort_order() -> None:
    cursor = encode_cursor("created_desc", [7])
    assert ThingFilter.model_validate({"cursor": cursor}).sort_by == "created_desc"
    assert ThingFilter.model_validate({"cursor": cursor, "sort_by": "name_asc"}).sort_by == "name_asc"
    for other in ("", "x", encode_cursor("price_asc", [7]), encode_cursor("created_desc", [7])[:-3]):
        assert ThingFilter.model_validate({"cursor": other}).sort_by == "name_asc"
    with pytest.raises(Unprocessable, match="another sort order"):
        ThingFilter.model_validate({"cursor": cursor, "sort_by": "name_asc"}).position("name_asc", int)


def test_cursor_preserves_its_key_exactly() -> None:
    read = PageQuery(cursor=encode_cursor("name_asc", KEY)).position("name_asc", *map(type, KEY))

    assert read == KEY
    assert str(read[2]) == "19.9900"


@pytest.mark.parametrize(
    ("kind", "part"),
    [
        (int, "many"),
        (int, 2**63),
        (int, 1e400),
        (str, "a\0b"),
        (str, "\ud800"),
        (Decimal, "NaN"),
        (Decimal, "-Infinity"),
        (Decimal, "1e41"),
        (datetime, "soon"),
        (datetime, "2026-01-01T00:00:00"),
        (datetime, "0001-01-01T00:00:00+23:59"),
        (datetime, 7),
        (date, "2026-13-01"),
        (UUID, "7"),
        (UUID, 7),
        (date, 7),
    ],
)
def test_cursor_with_an_impossible_key_is_rejected(kind: type, part: Any) -> None:
    with pytest.raises(Unprocessable, match="cursor"):
        PageQuery(cursor=encode_cursor("id_asc", [part])).position("id_asc", kind)


@pytest.mark.parametrize(
    "document", ["[]", "7", "{}", '{"sort": "id_asc"}', '{"sort": "id_asc", "key": 1}', "{", "[" * 1400]
)
def test_malformed_cursor_is_rejected(document: str) -> None:
    with pytest.raises(Unprocessable, match="cursor"):
        PageQuery(cursor=base64.urlsafe_b64encode(document.encode()).decode()).position("id_asc", int)


@pytest.mark.parametrize("key", [[], [1, 2]])
def test_cursor_with_a_key_of_another_length_is_rejected(key: list[int]) -> None:
    cursor = base64.urlsafe_b64encode(json.dumps({"sort": "id_asc", "key": key}).encode()).decode()

    with pytest.raises(Unprocessable, match="cursor"):
        PageQuery(cursor=cursor).position("id_asc", int)
