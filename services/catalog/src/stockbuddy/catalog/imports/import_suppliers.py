"""Imports a batch of a shop system's suppliers: creates those whose name is new."""

from collections.abc import Iterable

from pydantic import TypeAdapter, ValidationError
from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.catalog.errors import AmbiguousSupplier
from stockbuddy.catalog.fields import SingleLine255
from stockbuddy.catalog.imports.model import ImportJob, ImportResult, StagedRow
from stockbuddy.catalog.suppliers.commands import ensure_supplier

_NAME: TypeAdapter[str] = TypeAdapter(SingleLine255)


async def import_suppliers(session: AsyncSession, job: ImportJob, rows: Iterable[StagedRow]) -> ImportResult:
    """A dry run leaves no changes in the session."""
    result = ImportResult()
    async with session.begin_nested() as savepoint:
        for number, [name], problem in rows:
            if problem is not None:
                result.problems[number] = problem
            else:
                await _import_supplier(session, job, number, name, result)
        if job.dry_run:
            await savepoint.rollback()
            result.events.clear()
    return result


async def _import_supplier(session: AsyncSession, job: ImportJob, number: int, name: str, result: ImportResult) -> None:
    try:
        _, event = await ensure_supplier(session, job.actor_id, _NAME.validate_python(name))
    except ValidationError as error:
        result.problems[number] = f"supplier: {error.errors()[0]['msg']}"
    except AmbiguousSupplier:
        result.unchanged += 1
    else:
        result.created += event is not None
        result.unchanged += event is None
        result.events += [] if event is None else [event]
