"""Imports a batch of rows: upsert by SKU; a row takes effect completely or not at all."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.catalog.constraints import BARCODE_CONSTRAINTS, violated_constraint
from stockbuddy.catalog.imports import lookups
from stockbuddy.catalog.imports.import_suppliers import import_suppliers
from stockbuddy.catalog.imports.mapped_columns import SUPPLIER_FIELDS
from stockbuddy.catalog.imports.model import ImportJob, ImportResult, StagedRow
from stockbuddy.catalog.imports.references import resolve_categories, resolve_suppliers
from stockbuddy.catalog.imports.row import ImportedRow, Rows, parse_row
from stockbuddy.catalog.ownership import may_open_stock, sorted_or_none
from stockbuddy.catalog.products.model import Product
from stockbuddy.catalog.replicas.warehouses import find_default_warehouse_ids
from stockbuddy.chassis.runtime import clock
from stockbuddy.contracts.catalog import ProductCreated, ProductQuantityImported, ProductUpdated

_PROBLEMS = {
    "product_sku_unique": "sku: another product was given it during the import",
    **dict.fromkeys(BARCODE_CONSTRAINTS, "barcodes: another product was given one of them during the import"),
}


async def import_rows(session: AsyncSession, job: ImportJob, rows: Iterable[StagedRow]) -> ImportResult:
    """A dry run leaves no changes in the session."""
    if tuple(job.columns) == SUPPLIER_FIELDS:
        return await import_suppliers(session, job, rows)
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


def _parse_rows(job: ImportJob, rows: Iterable[StagedRow]) -> tuple[ImportResult, Rows]:
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
    _reject_incomplete(rows, existing, result)
    _reject_existing_quantities(job, rows, existing, result)
    await _reject_forbidden_stock(session, job, rows, existing, result)
    suppliers = await resolve_suppliers(session, job, rows, result)
    categories = await resolve_categories(session, job, rows, result)
    changes = _Changes()
    now = clock.now()
    for number, row in rows.items():
        if number not in result.problems:
            values = _to_values(row, suppliers, categories)
            changes.add(existing.get(row.sku), row, values, job.actor_id, now)
    session.add_all([product for product, _ in changes.created])
    await session.flush()
    await _add_events(session, job, changes, result)
    await lookups.upsert_external_ids(session, changes.external_ids)
    result.created, result.updated = len(changes.created), len(changes.updated)
    result.unchanged = len(changes.unchanged)
    return result


@dataclass(slots=True)
class _Changes:
    """`updated`: products with their changed fields; none if only the quantity is new."""

    created: list[tuple[Product, ImportedRow]] = field(default_factory=list)
    updated: list[tuple[Product, ImportedRow, list[str]]] = field(default_factory=list)
    unchanged: list[tuple[Product, ImportedRow]] = field(default_factory=list)

    def add(
        self, product: Product | None, row: ImportedRow, values: dict[str, Any], owner_id: int, now: datetime
    ) -> None:
        if product is None:
            opening = {"opening_quantity": row.quantity or None}
            self.created.append((Product(**values, **opening, owner_id=owner_id), row))
            return
        changed = product.update_fields(values, now)
        if changed or row.quantity is not None:
            self.updated.append((product, row, changed))
        else:
            self.unchanged.append((product, row))

    @property
    def external_ids(self) -> dict[str, int]:
        rows = [*self.created, *((product, row) for product, row, _ in self.updated), *self.unchanged]
        return {row.external_id: product.id for product, row in rows if row.external_id is not None}


async def _add_events(session: AsyncSession, job: ImportJob, changes: _Changes, result: ImportResult) -> None:
    products = [product for product, _ in changes.created] + [product for product, *_ in changes.updated]
    names = await lookups.find_category_names(session, [product.category_id for product in products])
    warehouse_ids = sorted_or_none(job.warehouse_ids)
    for product, row in changes.created:
        category = names.get(product.category_id or 0)
        opening = {"opening_quantity": row.quantity or None, "opening_warehouse_ids": warehouse_ids}
        result.events.append(product.to_event(ProductCreated, category, **opening))
    for product, row, changed in changes.updated:
        category = names.get(product.category_id or 0)
        if changed:
            result.events.append(product.to_event(ProductUpdated, category, changes=sorted(changed)))
        if row.quantity is not None:
            result.events.append(
                ProductQuantityImported(
                    product_id=product.id, quantity=row.quantity, warehouse_ids=warehouse_ids, import_id=job.id
                )
            )


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


def _reject_incomplete(rows: Rows, existing: dict[str, Product], result: ImportResult) -> None:
    for number, row in rows.items():
        missing = sorted({"name", "unit_price"} - row.model_fields_set)
        if missing and row.sku not in existing:
            result.problems[number] = "; ".join(f"{column}: is required for a new product" for column in missing)


def _reject_existing_quantities(job: ImportJob, rows: Rows, existing: dict[str, Product], result: ImportResult) -> None:
    for number, row in rows.items():
        if job.options.on_existing_quantity == "error" and row.quantity is not None and row.sku in existing:
            result.problems[number] = (
                "quantity: the product exists; import with on_existing_quantity=set to adjust its stock, or without "
                "this column and post a movement"
            )


async def _reject_forbidden_stock(
    session: AsyncSession, job: ImportJob, rows: Rows, existing: dict[str, Product], result: ImportResult
) -> None:
    """The import has the warehouse restrictions of the user who started it."""
    if may_open_stock(job.warehouse_ids, await find_default_warehouse_ids(session)):
        return
    for number, row in rows.items():
        if row.quantity or (row.quantity is not None and row.sku in existing):
            result.problems[number] = "quantity: you may not change the stock of the default warehouse"
