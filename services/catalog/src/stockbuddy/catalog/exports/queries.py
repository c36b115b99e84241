"""Reads products for a file: by id, some at a time, so that no export holds the catalogue in memory or in a lock."""

from collections.abc import AsyncIterator, Sequence
from decimal import Decimal

from stockbuddy.catalog.listing.conditions import Arguments, select_products
from stockbuddy.catalog.listing.schemas import ProductListing
from stockbuddy.catalog.sheets.writing import Cell
from stockbuddy.chassis.postgres.database import Database

ROWS_AT_A_TIME = 1000

# A supplier goes by its name, or by its number where the name could mean another.
_ROWS = """
    SELECT p.id, p.sku, p.name, p.description, c.name AS category,
        CASE WHEN v.name ~ '^#[0-9]+$' OR EXISTS (
            SELECT FROM supplier w WHERE w.id <> v.id AND w.deleted_at IS NULL
            AND lower(w.name) COLLATE "C" = lower(v.name) COLLATE "C")
        THEN '#' || v.id ELSE v.name END AS supplier,
        p.unit_price, p.cost_price, p.unit_of_measure, p.barcodes, p.low_stock_threshold, p.is_active
    FROM (SELECT {product_id} AS id FROM {source} WHERE {where} AND {product_id} > $1::bigint
          ORDER BY {product_id} LIMIT {limit}) found
    JOIN product p ON p.id = found.id
    LEFT JOIN category c ON c.id = p.category_id
    LEFT JOIN supplier v ON v.id = p.supplier_id
    ORDER BY p.id
"""


async def exported_rows(database: Database, listing: ProductListing) -> AsyncIterator[Sequence[Sequence[Cell]]]:
    """The cells of every product that the filters find, in the order of `sheets.cells.COLUMNS`."""
    arguments = Arguments([0])
    selection = select_products(listing, arguments, sorted_by="p")
    statement = _ROWS.format(
        product_id=selection.product_id, source=selection.source, where=selection.where, limit=ROWS_AT_A_TIME
    )
    while True:
        async with database.raw() as connection:
            found = await connection.fetch(statement, *arguments)
        if found:
            yield [_cells(tuple(row)) for row in found]
            arguments[0] = found[-1][0]
        if len(found) < ROWS_AT_A_TIME:
            return


def _cells(row: tuple[Cell | list[str], ...]) -> list[Cell]:
    return [
        " ".join(value) if isinstance(value, list) else _exact(value) if isinstance(value, Decimal) else value
        for value in row[1:]
    ]


def _exact(amount: Decimal) -> Decimal:
    """Without the zeros that the column's scale adds: 19.9000 → 19.9."""
    return amount.quantize(Decimal(1)) if amount == amount.to_integral_value() else amount.normalize()
