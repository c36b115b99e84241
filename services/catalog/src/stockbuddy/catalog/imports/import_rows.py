"""What the rows of a file do to the catalogue: upsert by SKU, a piece of the file at a time, all or nothing per row."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.catalog.categories.commands import ensure_category
from stockbuddy.catalog.constraints import violated_constraint
from stockbuddy.catalog.imports import queries
from stockbuddy.catalog.imports.model import Job, Outcome
from stockbuddy.catalog.imports.schemas import ImportedRow, read_row
from stockbuddy.catalog.products.model import Product
from stockbuddy.contracts.catalog import ProductCreated, ProductUpdated

Read = dict[int, ImportedRow]
"""Rows by their number in the file."""

_REASONS = {
    "product_sku_living": "sku: another product has just taken it",
    "barcode_pkey": "barcodes: another product has just taken one of them",
}


async def import_rows(session: AsyncSession, job: Job, rows: Sequence[tuple[int, list[str], str | None]]) -> Outcome:
    """The effects are in the session, except those of a dry run, which leaves nothing behind."""
    outcome, read = _read_rows(job, rows)
    try:
        outcome.add(await _attempt(session, job, read))
    except IntegrityError:
        # Somebody else was faster with a SKU or barcode: find out which row it is.
        for number, row in read.items():
            try:
                outcome.add(await _attempt(session, job, {number: row}))
            except IntegrityError as error:
                outcome.problems[number] = _REASONS.get(violated_constraint(error) or "", "can't be stored")
    return outcome


def _read_rows(job: Job, rows: Sequence[tuple[int, list[str], str | None]]) -> tuple[Outcome, Read]:
    outcome = Outcome()
    read: Read = {}
    for number, cells, problem in rows:
        try:
            if problem is not None:
                raise ValueError(problem)
            read[number] = read_row(job.columns, cells)
        except ValueError as error:
            outcome.problems[number] = str(error)
    return outcome, read


async def _attempt(session: AsyncSession, job: Job, read: Read) -> Outcome:
    async with session.begin_nested() as attempt:
        outcome = await _upsert(session, job, read)
        if job.dry_run:
            await attempt.rollback()
            outcome.events.clear()
    return outcome


async def _upsert(session: AsyncSession, job: Job, read: Read) -> Outcome:
    outcome = Outcome()
    existing = await _existing_products(session, read)
    await _refuse_taken_barcodes(session, read, existing, outcome)
    suppliers = await _suppliers(session, read, outcome)
    _refuse_incomplete(read, existing, outcome)
    categories = await _categories(session, job, read, outcome)
    created: list[tuple[Product, ImportedRow]] = []
    changed: list[tuple[Product, list[str]]] = []
    now = datetime.now(UTC)
    for number, row in read.items():
        if number in outcome.problems:
            continue
        values = _values(row, suppliers, categories)
        product = existing.get(row.sku)
        if product is None:
            created.append((Product(**values, owner_id=job.actor_id), row))
        elif changes := product.change(values, now):
            changed.append((product, changes))
        else:
            outcome.unchanged += 1
    session.add_all([product for product, _ in created])
    await session.flush()
    products = [product for product, _ in (*created, *changed)]
    names = await queries.category_names(session, [product.category_id for product in products])
    for product, row in created:
        category = names.get(product.category_id or 0)
        outcome.events.append(product.state(ProductCreated, category, opening_quantity=row.quantity or None))
    for product, changes in changed:
        category = names.get(product.category_id or 0)
        outcome.events.append(product.state(ProductUpdated, category, changes=sorted(changes)))
    outcome.created, outcome.updated = len(created), len(changed)
    return outcome


def _values(row: ImportedRow, suppliers: dict[str, int], categories: dict[str, int]) -> dict[str, Any]:
    values = row.given()
    if "category" in row.model_fields_set:
        values["category_id"] = None if row.category is None else categories[row.category]
    if "supplier" in row.model_fields_set:
        values["supplier_id"] = None if row.supplier is None else suppliers[row.supplier]
    return values


async def _existing_products(session: AsyncSession, read: Read) -> dict[str, Product]:
    """By the SKU as the file spells it, locked in the order of their ids."""
    ids = await queries.products_by_sku(session, [row.sku for row in read.values()])
    statement = select(Product).where(Product.id.in_(ids.values()), Product.deleted_at.is_(None))
    locked = {p.id: p for p in await session.scalars(statement.order_by(Product.id).with_for_update())}
    return {sku: locked[product_id] for sku, product_id in ids.items() if product_id in locked}


async def _refuse_taken_barcodes(
    session: AsyncSession, read: Read, existing: dict[str, Product], outcome: Outcome
) -> None:
    claims = await queries.barcode_claims(session, [code for row in read.values() for code in row.barcodes])
    for number, row in read.items():
        own = existing.get(row.sku)
        taken = [code for code in row.barcodes if code in claims and (own is None or claims[code] != own.id)]
        if taken:
            outcome.problems[number] = f"barcodes: another product has {' '.join(taken)}"


async def _suppliers(session: AsyncSession, read: Read, outcome: Outcome) -> dict[str, int]:
    """Ids by name; rows that name none or several are refused."""
    wanted = {row.supplier for row in read.values() if row.supplier is not None}
    found = await queries.suppliers_named(session, sorted(wanted)) if wanted else {}
    for number, row in read.items():
        ids = [0] if row.supplier is None else found.get(row.supplier, [])
        if len(ids) != 1:
            reason = (
                f"more than one is called {row.supplier}; write #{ids[0]}" if ids else f"none is called {row.supplier}"
            )
            outcome.problems[number] = f"supplier: {reason}"
    return {name: ids[0] for name, ids in found.items()}


def _refuse_incomplete(read: Read, existing: dict[str, Product], outcome: Outcome) -> None:
    for number, row in read.items():
        missing = sorted({"name", "unit_price"} - row.model_fields_set)
        if missing and row.sku not in existing:
            outcome.problems[number] = "; ".join(f"{column}: is needed for a new product" for column in missing)


async def _categories(session: AsyncSession, job: Job, read: Read, outcome: Outcome) -> dict[str, int]:
    """Ids by the name as the file spells it; a new one is called what its first row calls it. They are made in one
    order, so that runners do not deadlock."""
    wanted = {
        row.category: None
        for number, row in read.items()
        if row.category is not None and number not in outcome.problems
    }
    ids = {}
    for name in sorted(wanted, key=str.lower):
        ids[name], event = await ensure_category(session, job.actor_id, name)
        if event is not None:
            outcome.events.append(event)
    return ids
