"""Imports a batch of rows: upsert by SKU; a row takes effect completely or not at all."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.catalog.categories.commands import ensure_category
from stockbuddy.catalog.constraints import BARCODE_CONSTRAINTS, violated_constraint
from stockbuddy.catalog.imports import lookups
from stockbuddy.catalog.imports.model import ImportJob, ImportResult
from stockbuddy.catalog.imports.row import ImportedRow, parse_row
from stockbuddy.catalog.ownership import may_open_stock, sorted_or_none
from stockbuddy.catalog.products.model import Product
from stockbuddy.catalog.replicas.warehouses import find_default_warehouse_ids
from stockbuddy.contracts.catalog import ProductCreated, ProductUpdated

Rows = dict[int, ImportedRow]
"""Rows by their number in the file."""

_PROBLEMS = {
    "product_sku_unique": "sku: another product was given it during the import",
    **dict.fromkeys(BARCODE_CONSTRAINTS, "barcodes: another product was given one of them during the import"),
}


async def import_rows(
    session: AsyncSession, job: ImportJob, rows: Iterable[tuple[int, list[str], str | None]]
) -> ImportResult:
    """`rows`: number, cells, and the problem if staging found one. A dry run leaves no changes in the session."""
    result, parsed = _parse_rows(job, rows)
    try:
        result.add(await _import(session, job, parsed))
    except IntegrityError:
        # A concurrent transaction has inserted a SKU or barcode. Import row by row to find out which one.
        for number, row in parsed.items():
            try:
                result.add(await _import(session, job, {number: row}))
            except IntegrityError as error:
                result.problems[number] = _PROBLEMS.get(violated_constraint(error) or "", "can't be stored")
    return result


def _parse_rows(job: ImportJob, rows: Iterable[tuple[int, list[str], str | None]]) -> tuple[ImportResult, Rows]:
    result, parsed = ImportResult(), Rows()
    for number, cells, problem in rows:
        try:
            if problem is not None:
                raise ValueError(problem)
            parsed[number] = parse_row(job.columns, cells)
        except ValueError as error:
            result.problems[number] = str(error)
    return result, parsed


async def _import(session: AsyncSession, job: ImportJob, rows: Rows) -> ImportResult:
    async with session.begin_nested() as savepoint:
        result = await _upsert(session, job, rows)
        if job.dry_run:
            await savepoint.rollback()
            result.events.clear()
    return result


async def _upsert(session: AsyncSession, job: ImportJob, rows: Rows) -> ImportResult:
    result = ImportResult()
    existing = await lookups.lock_products(session, [row.sku for row in rows.values()])
    await _reject_taken_barcodes(session, rows, existing, result)
    suppliers = await _resolve_suppliers(session, rows, result)
    _reject_incomplete(rows, existing, result)
    await _reject_forbidden_stock(session, job, rows, existing, result)
    categories = await _resolve_categories(session, job, rows, result)
    created: list[tuple[Product, ImportedRow]] = []
    updated: list[tuple[Product, list[str]]] = []
    now = datetime.now(UTC)
    for number, row in rows.items():
        if number in result.problems:
            continue
        values = _to_values(row, suppliers, categories)
        product = existing.get(row.sku)
        if product is None:
            created.append((Product(**values, owner_id=job.actor_id), row))
        elif changes := product.update_fields(values, now):
            updated.append((product, changes))
        else:
            result.unchanged += 1
    session.add_all([product for product, _ in created])
    await session.flush()
    await _add_events(session, job, created, updated, result)
    result.created, result.updated = len(created), len(updated)
    return result


async def _add_events(
    session: AsyncSession,
    job: ImportJob,
    created: Sequence[tuple[Product, ImportedRow]],
    updated: Sequence[tuple[Product, list[str]]],
    result: ImportResult,
) -> None:
    products = [product for product, _ in (*created, *updated)]
    names = await lookups.find_category_names(session, [product.category_id for product in products])
    for product, row in created:
        category = names.get(product.category_id or 0)
        opening = {
            "opening_quantity": row.quantity or None,
            "opening_warehouse_ids": sorted_or_none(job.warehouse_ids),
        }
        result.events.append(product.to_event(ProductCreated, category, **opening))
    for product, changes in updated:
        category = names.get(product.category_id or 0)
        result.events.append(product.to_event(ProductUpdated, category, changes=sorted(changes)))


def _to_values(row: ImportedRow, suppliers: dict[str, int], categories: dict[str, int]) -> dict[str, Any]:
    values = row.product_fields()
    if "category" in row.model_fields_set:
        values["category_id"] = None if row.category is None else categories[row.category]
    if "supplier" in row.model_fields_set:
        values["supplier_id"] = None if row.supplier is None else suppliers[row.supplier]
    return values


async def _reject_taken_barcodes(
    session: AsyncSession, rows: Rows, existing: dict[str, Product], result: ImportResult
) -> None:
    holders = await lookups.find_barcode_holders(session, [code for row in rows.values() for code in row.barcodes])
    for number, row in rows.items():
        own = existing.get(row.sku)
        taken = [code for code in row.barcodes if code in holders and (own is None or holders[code] != own.id)]
        if taken:
            result.problems[number] = f"barcodes: another product has {' '.join(taken)}"


async def _resolve_suppliers(session: AsyncSession, rows: Rows, result: ImportResult) -> dict[str, int]:
    """Ids by name. Rows whose supplier is unknown or ambiguous become problems."""
    names = {row.supplier for row in rows.values() if row.supplier is not None}
    ids_by_name = await lookups.lock_suppliers(session, sorted(names)) if names else {}
    for number, row in rows.items():
        if row.supplier is None:
            continue
        ids = ids_by_name.get(row.supplier, [])
        if not ids:
            result.problems[number] = f"supplier: {row.supplier} is unknown"
        elif len(ids) > 1:
            result.problems[number] = f"supplier: {row.supplier} is ambiguous; use an id such as #{ids[0]}"
    return {name: ids[0] for name, ids in ids_by_name.items()}


def _reject_incomplete(rows: Rows, existing: dict[str, Product], result: ImportResult) -> None:
    for number, row in rows.items():
        missing = sorted({"name", "unit_price"} - row.model_fields_set)
        if missing and row.sku not in existing:
            result.problems[number] = "; ".join(f"{column}: is required for a new product" for column in missing)


async def _reject_forbidden_stock(
    session: AsyncSession, job: ImportJob, rows: Rows, existing: dict[str, Product], result: ImportResult
) -> None:
    """The import has the warehouse restrictions of the user who started it."""
    if may_open_stock(job.warehouse_ids, await find_default_warehouse_ids(session)):
        return
    for number, row in rows.items():
        if row.quantity and row.sku not in existing:
            result.problems[number] = "quantity: you may not change the stock of the default warehouse"


async def _resolve_categories(
    session: AsyncSession, job: ImportJob, rows: Rows, result: ImportResult
) -> dict[str, int]:
    """Ids by the name as the file spells it; a new category is spelt as in its first row."""
    # Unique in the order of the rows; a stable sort keeps the first spelling of each name first.
    names = dict.fromkeys(
        row.category for number, row in rows.items() if row.category is not None and number not in result.problems
    )
    ids = {}
    # In one order, so that concurrent imports do not deadlock.
    for name in sorted(names, key=str.lower):
        ids[name], event = await ensure_category(session, job.actor_id, name)
        if event is not None:
            result.events.append(event)
    return ids
