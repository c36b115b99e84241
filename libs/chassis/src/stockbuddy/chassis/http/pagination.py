"""Pagination by page number or by keyset cursor; a cursor is stable under inserts and deletes. See docs/api.md."""

import base64
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Annotated, Any, Generic, TypeVar, get_args
from uuid import UUID

from fastapi import Query
from pydantic import BaseModel, BeforeValidator, Field, model_validator
from sqlalchemy import ColumnElement, Select, func, literal, select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.chassis.fields import MAX_ID, Integer
from stockbuddy.chassis.http.errors import Unprocessable

Row = TypeVar("Row")
Item = TypeVar("Item")

DEFAULT_PAGE_SIZE = 20
MAX_PAGE_SIZE = 100
MAX_PAGE = 1_000_000_000
MAX_EXPONENT = 40


class Page(BaseModel, Generic[Item]):
    """One page of a list. `total` counts the whole list; `next_cursor` is null on the last page."""

    items: list[Item]
    page: int
    page_size: int
    total: int
    next_cursor: str | None


def _absent_if_empty(value: Any) -> Any:
    return None if value == "" else value


class PageQuery(BaseModel):
    """The query parameters of every list; filters inherit from it. `page` is ignored if `cursor` is given."""

    page: Annotated[Integer, Field(ge=1, le=MAX_PAGE)] = 1
    page_size: Annotated[Integer, Field(ge=1, le=MAX_PAGE_SIZE)] = DEFAULT_PAGE_SIZE
    cursor: Annotated[str | None, Field(max_length=2000), BeforeValidator(_absent_if_empty)] = None

    @model_validator(mode="before")
    @classmethod
    def take_sort_from_cursor(cls, values: Any) -> Any:
        """A cursor carries its sort order: `sort_by` need not be repeated."""
        field = cls.model_fields.get("sort_by")
        if field is None or not isinstance(values, Mapping) or not values.get("cursor") or values.get("sort_by"):
            return values
        sort = _decode_cursor(str(values["cursor"])).get("sort")
        return {**values, "sort_by": sort} if isinstance(sort, str) and _accepts(field.annotation, sort) else values

    @property
    def offset(self) -> int:
        return (self.page - 1) * self.page_size

    def position(self, sort: str, *types: type) -> list[Any] | None:
        """The sort key in the cursor, each part converted to its type; None without a cursor.
        Raises Unprocessable if the cursor is malformed or belongs to another list or sort order."""
        if self.cursor is None:
            return None
        stored = _decode_cursor(self.cursor)
        try:
            if stored["sort"] == sort:
                return [_PARSERS[kind](part) for kind, part in zip(types, stored["key"], strict=True)]
        except (ValueError, KeyError, TypeError, AttributeError, ArithmeticError) as error:
            raise Unprocessable.field("cursor", "is not a cursor of this list") from error
        raise Unprocessable.field("cursor", "belongs to another sort order")


def _decode_cursor(cursor: str) -> dict[str, Any]:
    """Empty if the cursor is malformed."""
    try:
        stored = json.loads(base64.urlsafe_b64decode(cursor + "=="))
    except (ValueError, RecursionError):
        return {}
    return stored if isinstance(stored, dict) else {}


def _accepts(annotation: Any, value: str) -> bool:
    """Whether `value` is one of the literals of the annotation, such as `Literal["name_asc"] | None`."""
    parts = get_args(annotation)
    return value in parts or any(_accepts(part, value) for part in parts)


PageParameters = Annotated[PageQuery, Query()]
"""For lists without filters. A filter model is declared as `Annotated[XFilter, Query()]`."""


@dataclass(frozen=True, slots=True)
class SortOrder:
    """A total order: the last of `columns` is unique, none is ever null, all ascend or all descend."""

    name: str
    columns: Sequence[Any]
    descending: bool = False


def sort_orders(*orders: SortOrder) -> Mapping[str, SortOrder]:
    """The orders by name, for the `sort_by` of a filter."""
    return {order.name: order for order in orders}


def in_interval(column: Any, since: Any, until: Any) -> list[ColumnElement[bool]]:
    """Conditions for a half-open interval; None leaves an end open."""
    ends = ((since, column.__ge__), (until, column.__lt__))
    return [compare(end) for end, compare in ends if end is not None]


@dataclass(frozen=True, slots=True)
class PageSlice(Generic[Row]):
    """The rows of one page, the size of the whole list, and the cursor of the next page."""

    rows: Sequence[Row]
    total: int
    next_cursor: str | None

    def to_page(self, query: PageQuery, to_item: Callable[[Row], Item]) -> Page[Item]:
        return Page(
            items=[to_item(row) for row in self.rows],
            page=query.page,
            page_size=query.page_size,
            total=self.total,
            next_cursor=self.next_cursor,
        )


async def fetch_page(
    session: AsyncSession,
    statement: Select[Row],
    order: SortOrder,
    query: PageQuery,
    *,
    total: int | None = None,
) -> PageSlice[Row]:
    """One page of `statement`, which selects one entity and has no order of its own. `total`: if already known.
    Raises Unprocessable for an invalid cursor."""
    page = await fetch_row_page(session, statement, order, query, total=total)
    return PageSlice([row[0] for row in page.rows], page.total, page.next_cursor)


async def fetch_row_page(
    session: AsyncSession,
    statement: Select[*tuple[Any, ...]],
    order: SortOrder,
    query: PageQuery,
    *,
    total: int | None = None,
) -> PageSlice[Any]:
    """Like `fetch_page`, for a statement that selects several columns: its rows are SQLAlchemy rows."""
    result = await _execute(session, statement, order, query)
    page, next_cursor = _cut(result, order, query)
    if total is None:
        total = await _count(session, statement, query, len(page), is_last=next_cursor is None)
    return PageSlice(page, total, next_cursor)


async def _execute(
    session: AsyncSession, statement: Select[*tuple[Any, ...]], order: SortOrder, query: PageQuery
) -> Sequence[Any]:
    """One row more than the page has, each with its sort key appended."""
    columns = order.columns
    position = query.position(order.name, *(column.type.python_type for column in columns))
    ordered = statement.order_by(*(column.desc() if order.descending else column.asc() for column in columns))
    if position is None:
        ordered = ordered.offset(query.offset)
    else:
        key = tuple_(*columns)
        last = tuple_(*map(literal, position, (column.type for column in columns)))
        ordered = ordered.where(key < last if order.descending else key > last)
    keyed = ordered.add_columns(*(column.label(f"sort_key_{i}") for i, column in enumerate(columns)))
    return (await session.execute(keyed.limit(query.page_size + 1))).all()


def _cut(rows: Sequence[Any], order: SortOrder, query: PageQuery) -> tuple[Sequence[Any], str | None]:
    page = rows[: query.page_size]
    if len(rows) == len(page):
        return page, None
    return page, encode_cursor(order.name, list(page[-1][-len(order.columns) :]))


async def _count(
    session: AsyncSession, statement: Select[*tuple[Any, ...]], query: PageQuery, rows: int, *, is_last: bool
) -> int:
    if is_last and query.page == 1 and query.cursor is None:
        return rows
    return await session.scalar(select(func.count()).select_from(statement.order_by(None).subquery())) or 0


def encode_cursor(sort: str, key: Sequence[Any]) -> str:
    """The cursor of the page after the row with this sort key; dates and decimals are stored as text."""
    document = json.dumps({"sort": sort, "key": list(key)}, default=str, separators=(",", ":"))
    return base64.urlsafe_b64encode(document.encode()).decode().rstrip("=")


def _parse_int(part: Any) -> int:
    if type(part) is not int or abs(part) > MAX_ID:
        raise ValueError("is not an integer or out of range")
    return part


def _parse_text(part: Any) -> str:
    if not isinstance(part, str) or "\0" in part:
        raise ValueError("is no text or contains a NUL")
    part.encode()
    return part


def _parse_decimal(part: Any) -> Decimal:
    number = Decimal(str(part))
    if not number.is_finite() or abs(number.adjusted()) > MAX_EXPONENT:
        raise ValueError("is out of range")
    return number


def _parse_datetime(part: Any) -> datetime:
    moment = datetime.fromisoformat(part)
    if moment.tzinfo is None:
        raise ValueError("has no offset")
    return moment.astimezone(UTC)


# A client can forge a cursor, so each part is validated before PostgreSQL receives it.
_PARSERS: Mapping[type, Callable[[Any], Any]] = {
    int: _parse_int,
    str: _parse_text,
    Decimal: _parse_decimal,
    datetime: _parse_datetime,
    date: date.fromisoformat,
    UUID: UUID,
}
