"""Lists in a stable order: by page number, or from a cursor that holds the last row's sort key."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from pydantic import BaseModel
from sqlalchemy import Select, func, literal, select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.chassis.http.pagination import Page, PageQuery, encode_cursor

Shape = TypeVar("Shape", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Sort:
    """An order by columns of which the last is unique; all of them ascend or descend. None of them is ever null."""

    name: str
    columns: tuple[Any, ...]
    descending: bool = False


@dataclass(frozen=True, slots=True)
class Listed:
    """The rows of one page (mapped objects, or rows whose labels are the sort's column names) and where it ends."""

    rows: Sequence[Any]
    total: int
    next_cursor: str | None

    def page(self, paging: PageQuery, shape: Callable[[Any], Shape]) -> Page[Shape]:
        return Page(
            items=[shape(row) for row in self.rows],
            page=paging.page,
            page_size=paging.page_size,
            total=self.total,
            next_cursor=self.next_cursor,
        )


async def fetch_listed(
    session: AsyncSession, query: Select[Any], sort: Sort, paging: PageQuery, *, total: int | None = None
) -> Listed:
    """One page of `query`, which has no order of its own. `total` is given when it is known already."""
    if total is None:
        total = await session.scalar(select(func.count()).select_from(query.order_by(None).subquery())) or 0
    after = paging.position(sort.name, *(column.type.python_type for column in sort.columns))
    query = query.order_by(*(column.desc() if sort.descending else column.asc() for column in sort.columns))
    if after is None:
        query = query.offset(paging.offset)
    else:
        key, last = tuple_(*sort.columns), tuple_(*map(literal, after, (column.type for column in sort.columns)))
        query = query.where(key < last if sort.descending else key > last)
    result = await session.execute(query.limit(paging.page_size + 1))
    rows: Sequence[Any] = result.scalars().all() if _is_one_entity(query) else result.all()
    has_more, rows = len(rows) > paging.page_size, rows[: paging.page_size]
    return Listed(rows, total, _cursor(sort, rows[-1]) if has_more else None)


def _is_one_entity(query: Select[Any]) -> bool:
    return len(query.column_descriptions) == 1


def _cursor(sort: Sort, row: Any) -> str:
    return encode_cursor(sort.name, [getattr(row, column.key) for column in sort.columns])
