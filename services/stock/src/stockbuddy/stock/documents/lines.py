"""Documents with lines: their rows to be inserted, and responses from stored rows."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any, TypeVar

from pydantic import BaseModel
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from stockbuddy.stock.ledger import Row, row_of

Response = TypeVar("Response", bound=BaseModel)


def header_row(document: BaseModel) -> Row:
    """All fields but the lines."""
    return {name: value for name, value in dict(document).items() if name != "lines"}


def line_rows(lines: Sequence[BaseModel], *, exclude: str = "", **columns: Any) -> list[Row]:
    """The fields of each line but `exclude`, its position, and `columns`, which are the same for all."""
    return [
        {**columns, "position": position, **{name: value for name, value in dict(line).items() if name != exclude}}
        for position, line in enumerate(lines)
    ]


async def with_lines(
    session: AsyncSession,
    documents: Sequence[Any],
    document_id: InstrumentedAttribute[int],
    position: InstrumentedAttribute[int],
    line_type: type[BaseModel],
    response_type: type[Response],
) -> list[Response]:
    """The responses of stored documents. `document_id`, `position`: columns of the table of lines."""
    lines: defaultdict[int, list[BaseModel]] = defaultdict(list)
    query = select(document_id.class_).where(document_id.in_([document.id for document in documents]))
    for line in await session.scalars(query.order_by(document_id, position)):
        values = row_of(line, *line_type.model_fields)
        lines[getattr(line, document_id.key)].append(line_type.model_construct(**values))
    names = [name for name in response_type.model_fields if name != "lines"]
    return [
        response_type.model_construct(**row_of(document, *names), lines=lines[document.id]) for document in documents
    ]
