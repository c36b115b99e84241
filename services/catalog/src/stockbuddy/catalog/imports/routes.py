"""HTTP of import jobs."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import StreamingResponse
from pydantic import ValidationError

from stockbuddy.catalog.dependencies import get_services
from stockbuddy.catalog.imports import queries
from stockbuddy.catalog.imports.runner import IMPORT_QUEUED
from stockbuddy.catalog.imports.schemas import ImportForm, ImportResponse
from stockbuddy.catalog.ownership import sorted_or_none
from stockbuddy.catalog.spreadsheets.cells import REPORT_COLUMNS
from stockbuddy.catalog.spreadsheets.reader import detect_format, read_columns
from stockbuddy.catalog.spreadsheets.responses import SPREADSHEET_CONTENT, spreadsheet_response
from stockbuddy.catalog.spreadsheets.writer import Cell
from stockbuddy.catalog.uploads import read_upload, request_body
from stockbuddy.chassis.fields import Id
from stockbuddy.chassis.http.authentication import Manager, require_manager
from stockbuddy.chassis.http.errors import Unavailable, Unprocessable
from stockbuddy.chassis.http.etags import ConditionalRoute
from stockbuddy.chassis.http.pagination import Page, PageParameters
from stockbuddy.chassis.http.sessions import ReadSession, Session
from stockbuddy.chassis.postgres.database import Database, signal_on_commit
from stockbuddy.chassis.runtime.event_context import current_event_context

MANAGERS = Depends(require_manager)
HEADER_WAIT_SECONDS = 10

router = APIRouter(prefix="/api/v1", tags=["imports"], route_class=ConditionalRoute)


@router.post("/products/import", status_code=202, openapi_extra=request_body(dry_run={"type": "boolean"}))
async def import_products(
    request: Request,
    response: Response,
    session: Session,
    caller: Manager,
    dry_run: Annotated[bool | None, Query(description="May be a field of the form instead.")] = None,
) -> ImportResponse:
    """CSV (UTF-8) or XLSX as the multipart field `file`; products are created or updated by SKU. Poll the job at
    `GET /imports/{id}`. A dry run reports the same problems and changes nothing."""
    upload = await read_upload(request, known_fields=ImportForm.model_fields)
    columns = await _read_columns(get_services(request).header_reading, upload.content)
    context = current_event_context()
    values = {
        "dry_run": _merge_dry_run(dry_run, upload.fields),
        "format": detect_format(upload.content),
        "file_name": upload.file_name,
        "columns": list(columns),
        "actor_id": caller.user_id,
        "actor_name": caller.username,
        "warehouse_ids": sorted_or_none(caller.warehouse_ids),
        "client_ip": context.client_ip,
        "request_id": context.request_id,
        "traceparent": context.traceparent,
    }
    import_id = await queries.insert_job(session, values, upload.content)
    signal_on_commit(session, IMPORT_QUEUED)
    response.headers["Location"] = f"/api/v1/imports/{import_id}"
    return ImportResponse.model_validate(await queries.get_import(session, import_id))


def _merge_dry_run(parameter: bool | None, fields: Mapping[str, str]) -> bool:
    """Raises RequestValidationError, or Unprocessable if query and form contradict each other."""
    try:
        form = ImportForm.model_validate(fields)
    except ValidationError as error:
        raise RequestValidationError([{**e, "loc": ("body", *e["loc"])} for e in error.errors()]) from error
    if None not in (parameter, form.dry_run) and parameter != form.dry_run:
        raise Unprocessable.field("dry_run", "differs between the query and the form")
    return bool(parameter or form.dry_run)


async def _read_columns(slots: asyncio.Semaphore, content: bytes) -> tuple[str, ...]:
    try:
        async with asyncio.timeout(HEADER_WAIT_SECONDS):
            await slots.acquire()
    except TimeoutError as error:
        raise Unavailable("Too many files are being read.") from error
    try:
        return await read_columns(content)
    finally:
        slots.release()


@router.get("/imports", dependencies=[MANAGERS])
async def list_imports(session: ReadSession, query: PageParameters) -> Page[ImportResponse]:
    """Newest first."""
    page = await queries.list_imports(session, query)
    return page.to_page(query, ImportResponse.model_validate)


@router.get("/imports/{import_id}", dependencies=[MANAGERS])
async def get_import(session: ReadSession, import_id: Id) -> ImportResponse:
    return ImportResponse.model_validate(await queries.get_import(session, import_id))


@router.get(
    "/imports/{import_id}/errors",
    response_class=StreamingResponse,
    responses=SPREADSHEET_CONTENT,
    dependencies=[MANAGERS],
)
async def get_import_errors(request: Request, session: ReadSession, import_id: Id) -> StreamingResponse:
    """The failed rows with their numbers and problems, in the format of the file: correct and import them again."""
    job = await queries.get_import(session, import_id)
    rows = _report_rows(get_services(request).database, import_id)
    return spreadsheet_response(job.format, [*job.columns, *REPORT_COLUMNS], rows, name=f"import-{import_id}-errors")


async def _report_rows(database: Database, import_id: int) -> AsyncIterator[Sequence[Sequence[Cell]]]:
    async for rows in queries.read_failed_rows(database, import_id):
        yield [[*row.cells, str(row.number), row.problem] for row in rows]
