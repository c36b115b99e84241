"""Shows what an import would do: the same steps in a transaction that is rolled back."""

from functools import partial
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.catalog.imports import lookups, queries
from stockbuddy.catalog.imports.import_rows import import_rows
from stockbuddy.catalog.imports.model import ImportJob
from stockbuddy.catalog.imports.product_file import open_products
from stockbuddy.catalog.imports.runner import stage_products
from stockbuddy.catalog.imports.schemas import ImportPreview, PreviewRow

MAX_PREVIEW_ROWS = 1000
SHOWN_ROWS = 20


async def preview_import(session: AsyncSession, values: dict[str, Any], content: bytes) -> ImportPreview:
    """`values`: those of a job. Rolls the session's changes back. Raises UnreadableFile."""
    async with session.begin_nested() as savepoint:
        job = await queries.insert_claimed_job(session, values)
        find_products = partial(lookups.find_external_products, session)
        async with open_products(content, job.options, find_products, max_rows=MAX_PREVIEW_ROWS + 2) as file:
            await stage_products(session, job, file)
        preview = await _run(session, job)
        await savepoint.rollback()
    return preview


async def _run(session: AsyncSession, job: ImportJob) -> ImportPreview:
    rows = await queries.next_rows(session, job, MAX_PREVIEW_ROWS)
    staged = await queries.get_import(session, job.id)
    result = await import_rows(session, job, [(row.number, row.cells, row.problem) for row in rows])
    shown = [
        PreviewRow(
            row=row.number,
            product={name: cell for name, cell in zip(job.columns, row.cells, strict=True) if cell},
            problem=result.problems.get(row.number),
        )
        for row in rows[:SHOWN_ROWS]
    ]
    return ImportPreview(
        format=staged.format,
        system=staged.system,
        mapping=staged.mapping,
        ignored_columns=[column["column"] for column in staged.mapping if column["field"] is None],
        rows=shown,
        total=len(rows),
        created=result.created,
        updated=result.updated,
        unchanged=result.unchanged,
        failed=len(result.problems),
        skipped=staged.skipped,
        is_complete=staged.total + staged.skipped <= MAX_PREVIEW_ROWS,
    )
