"""Reads products in batches by id, so that memory is bounded and no snapshot or lock lasts for a whole export."""

from collections.abc import AsyncIterator, Sequence
from decimal import Decimal

from stockbuddy.catalog.search.conditions import Arguments, select_products
from stockbuddy.catalog.search.schemas import ProductFilter
from stockbuddy.catalog.spreadsheets.writer import Cell
from stockbuddy.chassis.http.jobs.progress import is_tracked, report_progress
from stockbuddy.chassis.postgres.database import Database
from stockbuddy.chassis.postgres.read_replica import ReadReplica

BATCH_SIZE = 1000

# A supplier is exported by its name, or by its id where the name is ambiguous.
_ROWS = """
    SELECT p.id, p.sku, p.name, p.description, c.name AS category,
        CASE WHEN v.name ~ '^#[0-9]+$' OR EXISTS (
            SELECT FROM supplier w WHERE w.id <> v.id AND w.deleted_at IS NULL
            AND lower(w.name) COLLATE "C" = lower(v.name) COLLATE "C")
        THEN '#' || v.id ELSE v.name END AS supplier,
        p.unit_price, p.cost_price, p.unit_of_measure, p.barcodes, p.low_stock_threshold, p.is_active
    FROM (SELECT {product_id} AS id FROM {source} WHERE {where} AND {product_id} > $1::bigint
          ORDER BY {product_id} LIMIT {limit}) selected
    JOIN product p ON p.id = selected.id
    LEFT JOIN category c ON c.id = p.category_id
    LEFT JOIN supplier v ON v.id = p.supplier_id
    ORDER BY p.id
"""


async def read_rows(
    reads: Database | ReadReplica, query: ProductFilter, columns: Sequence[str]
) -> AsyncIterator[Sequence[Sequence[Cell]]]:
    """The cells of all products that match the filter. `columns`: of `spreadsheets.cells.COLUMNS`."""
    arguments = Arguments([0])
    selection = select_products(query, arguments, sorted_by="p")
    statement = _ROWS.format(
        product_id=selection.product_id, source=selection.source, where=selection.where, limit=BATCH_SIZE
    )
    done, total = 0, await _count(reads, selection.source, selection.where, arguments) if is_tracked() else 0
    while True:
        async with reads.raw() as connection:
            rows = await connection.fetch(statement, *arguments)
        done += len(rows)
        report_progress(done, total)
        if rows:
            yield [[_to_cell(row[name]) for name in columns] for row in rows]
            arguments[0] = rows[-1][0]
        if len(rows) < BATCH_SIZE:
            return


async def _count(reads: Database | ReadReplica, source: str, where: str, arguments: Arguments) -> int:
    # The first argument, the position of the next batch, is used so that PostgreSQL knows its type.
    statement = f"SELECT count(*) FROM {source} WHERE {where} AND $1::bigint IS NOT NULL"
    async with reads.raw() as connection:
        count: int = await connection.fetchval(statement, *arguments)
    return count


def _to_cell(value: Cell | list[str]) -> Cell:
    if isinstance(value, list):
        return " ".join(value)
    if isinstance(value, Decimal):
        # Without the zeros that the column's scale adds: 19.9000 → 19.9.
        return value.quantize(Decimal(1)) if value == value.to_integral_value() else value.normalize()
    return value
