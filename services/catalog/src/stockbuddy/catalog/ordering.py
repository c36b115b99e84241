"""Pages of the smaller lists (categories, suppliers): by name or age, by page number or by cursor, counted exactly."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar

from sqlalchemy import ColumnElement, collate, func, literal, select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.catalog.record import Record
from stockbuddy.chassis.http.pagination import PageQuery, encode_cursor

Row = TypeVar("Row", bound=Record)


@dataclass(frozen=True, slots=True)
class Listed(Generic[Row]):
    """A page's rows, the size of the whole list, and the cursor behind the page."""

    rows: Sequence[Row]
    total: int
    next_cursor: str | None


async def list_by(
    session: AsyncSession, model: type[Row], conditions: Sequence[ColumnElement[bool]], sort: str, paging: PageQuery
) -> Listed[Row]:
    """`sort` is `name` or `created` with `_asc` or `_desc`."""
    column, _, direction = sort.partition("_")
    by_name: ColumnElement[Any] = collate(func.lower(model.name), "C")
    key = by_name if column == "name" else model.created_at.expression
    statement = select(model, key).where(*conditions)
    after = paging.after(sort, str if column == "name" else datetime, int)
    if after is not None:
        last = tuple_(*(literal(part) for part in after))
        row = tuple_(key, model.id)
        statement = statement.where(row > last if direction == "asc" else row < last)
    else:
        statement = statement.offset(paging.offset)
    order = (key.asc(), model.id.asc()) if direction == "asc" else (key.desc(), model.id.desc())
    found = (await session.execute(statement.order_by(*order).limit(paging.page_size + 1))).all()
    page = found[: paging.page_size]
    more = len(found) > paging.page_size
    total: int | None = len(found)
    if more or paging.page > 1 or after is not None:
        total = await session.scalar(select(func.count()).select_from(model).where(*conditions))
    cursor = encode_cursor(sort, [page[-1][1], page[-1][0].id]) if more else None
    return Listed([row[0] for row in page], total or 0, cursor)
