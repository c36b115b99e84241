"""HTTP of import jobs."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import StreamingResponse

from stockbuddy.catalog.imports import queries
from stockbuddy.catalog.imports.runner import IMPORT_QUEUED
from stockbuddy.catalog.imports.schemas import ImportResponse
from stockbuddy.catalog.ownership import sorted_or_none
from stockbuddy.catalog.services import get_services
from stockbuddy.catalog.spreadsheets.cells import REPORT_COLUMNS
from stockbuddy.catalog.spreadsheets.reader import detect_format, read_columns
from stockbuddy.catalog.spreadsheets.responses import SPREADSHEET_CONTENT, spreadsheet_response
from stockbuddy.catalog.spreadsheets.writer import Cell
from stockbuddy.catalog.uploads import REQUEST_BODY, read_upload
from stockbuddy.chassis.fields import Id
from stockbuddy.chassis.http.authentication import Manager, require_manager
from stockbuddy.chassis.http.errors import Unavailable
from stockbuddy.chassis.http.etags import ConditionalRoute
from stockbuddy.chassis.http.pagination import Page, PageParameters
from stockbuddy.chassis.http.sessions import ReadSession, Session
from stockbuddy.chassis.postgres.database import Database, signal_on_commit
from stockbuddy.chassis.runtime.event_context import current_event_context

MANAGERS = Depends(require_manager)
HEADER_WAIT_SECONDS = 10

router = APIRouter(prefix="/api/v1", tags=["imports"], route_class=ConditionalRoute)


@router.post("/products/import", status_code=202, openapi_extra=REQUEST_BODY)
async def import_products(
    request: Request, response: Response, session: Session, caller: Manager, dry_run: Annotated[bool, Query()] = False
) -> ImportResponse:
    """CSV (UTF-8) or XLSX as the multipart field `file`; products are created or updated by SKU. Poll the job at
    `GET /imports/{id}`. A dry run reports the same problems and changes nothing."""
    upload = await read_upload(request)
    columns = await _read_columns(get_services(request).header_reading, upload.content)
    context = current_event_context()
    values = {
        "dry_run": dry_run,
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
