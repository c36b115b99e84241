"""Reads one page of a list, by its number or behind a cursor."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from pydantic import BaseModel
from sqlalchemy import Select, func, select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from stockbuddy.auth.record import Record
from stockbuddy.chassis.http.pagination import Page
from stockbuddy.chassis.http.pagination import PageQuery, encode_cursor

Row = TypeVar("Row", bound=Record)
View = TypeVar("View", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Order:
    """A total order: the last column is unique."""

    name: str
    columns: Sequence[InstrumentedAttribute[Any]]
    newest_first: bool


@dataclass(frozen=True, slots=True)
class Found(Generic[Row]):
    """The rows of a page; `page` makes the answer of them."""

    rows: Sequence[Row]
    total: int
    next_cursor: str | None
    paging: PageQuery

    def page(self, view: Callable[[Row], View]) -> "Page[View]":
        return Page(
            items=[view(row) for row in self.rows],
            page=self.paging.page,
            page_size=self.paging.page_size,
            total=self.total,
            next_cursor=self.next_cursor,
        )


async def read_page(session: AsyncSession, rows: Select[Row], paging: PageQuery, order: Order) -> Found[Row]:
    """Raises Unprocessable for a cursor of another list."""
    total = await session.scalar(select(func.count()).select_from(rows.subquery())) or 0
    columns = order.columns
    wanted = rows.order_by(*(column.desc() if order.newest_first else column.asc() for column in columns))
    last_seen = paging.after(order.name, *(column.type.python_type for column in columns))
    if last_seen is None:
        wanted = wanted.offset(paging.offset)
    else:
        here, there = tuple_(*columns), tuple_(*last_seen)
        wanted = wanted.where(here < there if order.newest_first else here > there)
    found = (await session.scalars(wanted.limit(paging.page_size + 1))).all()
    rows_of_page = found[: paging.page_size]
    next_cursor = None
    if len(found) > paging.page_size:
        next_cursor = encode_cursor(order.name, [getattr(rows_of_page[-1], column.key) for column in columns])
    return Found(rows_of_page, total, next_cursor, paging)
