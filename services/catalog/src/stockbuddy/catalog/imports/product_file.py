"""An uploaded file as rows of products: read twice, because a row may depend on rows that follow."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import islice
from typing import TypeVar

from stockbuddy.catalog.errors import UnreadableFile
from stockbuddy.catalog.imports.mapped_columns import ColumnMapping, map_columns
from stockbuddy.catalog.imports.number_format import NumberFormat
from stockbuddy.catalog.imports.options import ImportOptions
from stockbuddy.catalog.imports.product_rows import ProductRow, ProductRows, Values
from stockbuddy.catalog.spreadsheets.reader import Table, open_table
from stockbuddy.catalog.spreadsheets.workbook_process import RawRow

BATCH_SIZE = 2000

T = TypeVar("T")
FindProducts = Callable[[Collection[str]], Awaitable[Mapping[str, Values]]]
"""Finds products by their ids in another shop system, such as `prestashop:17`."""


@dataclass(frozen=True, slots=True)
class ProductFile:
    """`read` yields the rows in batches; `rows` knows afterwards how many were skipped."""

    rows: ProductRows
    table: Table

    async def read(self) -> AsyncIterator[list[ProductRow]]:
        raw_rows = _rows_after_header(self.table)
        while batch := await asyncio.to_thread(_take, raw_rows):
            yield await asyncio.to_thread(self._build, batch)

    def _build(self, batch: list[RawRow]) -> list[ProductRow]:
        return [row for raw_row in batch if (row := self.rows.build(raw_row)) is not None]


async def read_mapping(content: bytes, options: ImportOptions) -> ColumnMapping:
    """The meaning of the file's columns. Raises UnreadableFile if it is not a table of products."""
    async with open_table(content, max_rows=1) as table:
        return map_columns(await asyncio.to_thread(_read_header, table), options)


@asynccontextmanager
async def open_products(
    content: bytes, options: ImportOptions, find_products: FindProducts, *, max_rows: int | None = None
) -> AsyncIterator[ProductFile]:
    """`max_rows`: read no more than these. Raises UnreadableFile, also while rows are read."""
    async with open_table(content, max_rows=max_rows) as table:
        mapping = map_columns(await asyncio.to_thread(_read_header, table), options)
        rows = ProductRows(mapping, options, NumberFormat(options.decimal_separator))
        await asyncio.to_thread(_survey, rows, table)
        if mapping.system.name == "prestashop_combinations":
            keys = {f"prestashop:{parent}": parent for parent in rows.unknown_parents}
            found = await find_products(keys)
            rows.parents |= {keys[external_id]: values for external_id, values in found.items()}
        yield ProductFile(rows, table)


def _read_header(table: Table) -> list[str]:
    first_row = next(table(), None)
    if first_row is None:
        raise UnreadableFile("The file is empty.")
    return first_row[1]


def _survey(rows: ProductRows, table: Table) -> None:
    for row in _rows_after_header(table):
        rows.survey(row)


def _rows_after_header(table: Table) -> Iterator[RawRow]:
    return islice(table(), 1, None)


def _take(rows: Iterator[T]) -> list[T]:
    return list(islice(rows, BATCH_SIZE))
