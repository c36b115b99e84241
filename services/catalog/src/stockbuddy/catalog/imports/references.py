"""The suppliers and categories that the rows of an import name; new ones are created."""

from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.catalog.categories.commands import ensure_category
from stockbuddy.catalog.errors import AmbiguousSupplier, UnknownSupplier
from stockbuddy.catalog.imports.model import ImportJob, ImportResult
from stockbuddy.catalog.imports.row import Rows
from stockbuddy.catalog.suppliers.commands import ensure_supplier
from stockbuddy.catalog.suppliers.queries import find_supplier_ids


async def resolve_suppliers(session: AsyncSession, job: ImportJob, rows: Rows, result: ImportResult) -> dict[str, int]:
    """Ids by name. Rows whose supplier is ambiguous, or an unknown `#12`, become problems."""
    names = {row.supplier: number for number, row in rows.items() if row.supplier and number not in result.problems}
    ids = {name: found[0] for name, found in (await find_supplier_ids(session, [*names])).items() if len(found) == 1}
    problems = {}
    # In one order, so that concurrent imports do not deadlock.
    for name in sorted(names.keys() - ids.keys(), key=str.lower):
        try:
            if name.startswith("#") and name[1:].isdigit():
                raise UnknownSupplier(f"{name} is unknown")
            ids[name], event = await ensure_supplier(session, job.actor_id, name)
            if event is not None:
                result.events.append(event)
        except (AmbiguousSupplier, UnknownSupplier) as error:
            problems[name] = f"supplier: {error.detail}"
    for number, row in rows.items():
        if row.supplier in problems:
            result.problems.setdefault(number, problems[row.supplier])
    return ids


async def resolve_categories(session: AsyncSession, job: ImportJob, rows: Rows, result: ImportResult) -> dict[str, int]:
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
