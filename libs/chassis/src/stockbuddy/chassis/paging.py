"""Lists as api.md gives them: by page number, or by a cursor that stays stable while rows come and go."""

import base64
import json
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Annotated, Any, Generic, TypeVar
from uuid import UUID

from fastapi import Depends, Query
from pydantic import BaseModel

from stockbuddy.chassis.errors import Unprocessable

Item = TypeVar("Item")

DEFAULT_PAGE_SIZE = 20
LARGEST_PAGE_SIZE = 100


class Page(BaseModel, Generic[Item]):
    """One page of a list. `total` counts the whole list; `next_cursor` is null on the last page."""

    items: list[Item]
    page: int
    page_size: int
    total: int
    next_cursor: str | None


class Paging:
    """Which part of a list is asked for. With a cursor, `page` says nothing."""

    def __init__(
        self,
        page: Annotated[int, Query(ge=1, le=1_000_000_000)] = 1,
        page_size: Annotated[int, Query(ge=1, le=LARGEST_PAGE_SIZE)] = DEFAULT_PAGE_SIZE,
        cursor: Annotated[str | None, Query(max_length=2000)] = None,
    ) -> None:
        self.page = page
        self.page_size = page_size
        self.cursor = cursor

    @property
    def offset(self) -> int:
        return (self.page - 1) * self.page_size

    def after(self, sort: str, *kinds: type) -> list[Any] | None:
        """The last row's sort key that the cursor holds, each part of its kind, or None without a cursor.
        Raises Unprocessable for a cursor that is not ours or belongs to another sort."""
        if self.cursor is None:
            return None
        try:
            stored = json.loads(base64.urlsafe_b64decode(self.cursor + "=="))
            if stored["sort"] == sort:
                return [_PARTS[kind](part) for kind, part in zip(kinds, stored["key"], strict=True)]
        except (ValueError, KeyError, TypeError, ArithmeticError) as error:
            raise Unprocessable.field("cursor", "is not a cursor of this list") from error
        raise Unprocessable.field("cursor", "belongs to another sort order")


PagingParameters = Annotated[Paging, Depends()]


def cursor_for(sort: str, key: list[Any]) -> str:
    """The cursor behind a row with that sort key; the key's parts are JSON values (dates and decimals as text)."""
    document = json.dumps({"sort": sort, "key": key}, default=str, separators=(",", ":"))
    return base64.urlsafe_b64encode(document.encode()).decode().rstrip("=")


LARGEST_ID = 2**63 - 1
LARGEST_EXPONENT = 40


def _whole(part: Any) -> int:
    number = int(part)
    if abs(number) > LARGEST_ID:
        raise ValueError("is out of range")
    return number


def _text(part: Any) -> str:
    text = str(part)
    if "\0" in text:
        raise ValueError("holds a NUL")
    text.encode()
    return text


def _decimal(part: Any) -> Decimal:
    number = Decimal(str(part))
    if not number.is_finite() or abs(number.adjusted()) > LARGEST_EXPONENT:
        raise ValueError("is out of range")
    return number


def _moment(part: Any) -> datetime:
    moment = datetime.fromisoformat(part)
    if moment.tzinfo is None:
        raise ValueError("has no offset")
    return moment.astimezone(UTC)


_PARTS: Mapping[type, Callable[[Any], Any]] = {
    int: _whole,
    str: _text,
    Decimal: _decimal,
    datetime: _moment,
    date: date.fromisoformat,
    UUID: UUID,
}
"""Reads a part of a sort key back as something that PostgreSQL takes: anybody can write a cursor."""
