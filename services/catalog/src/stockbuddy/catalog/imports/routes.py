"""HTTP of imports."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Annotated, Any

from fastapi import APIRouter, BackgroundTasks, Depends, Query, Request, Response
from fastapi.responses import StreamingResponse

from stockbuddy.catalog.errors import UnknownImport
from stockbuddy.catalog.imports import queries
from stockbuddy.catalog.imports.schemas import ShownImport
from stockbuddy.catalog.sheets.cells import REPORT_COLUMNS
from stockbuddy.catalog.sheets.reading import format_of, read_header
from stockbuddy.catalog.sheets.writing import CONTENT_TYPES, Cell, written
from stockbuddy.catalog.uploads import REQUEST_BODY, read_upload
from stockbuddy.catalog.wording import Id
from stockbuddy.chassis.postgres.database import Database
from stockbuddy.chassis.http.sessions import ReadSession, Session
from stockbuddy.chassis.http.etags import ConditionalRoute
from stockbuddy.chassis.http.authentication import Manager, require_manager
from stockbuddy.chassis.messaging.event_context import current_event_context
from stockbuddy.chassis.http.pagination import Page, PageParameters

MANAGERS = Depends(require_manager)

router = APIRouter(prefix="/api/v1", tags=["imports"], route_class=ConditionalRoute)

FILE_CONTENT: dict[int | str, dict[str, Any]] = {
    200: {"content": {kind: {"schema": {"type": "string", "format": "binary"}} for kind in CONTENT_TYPES.values()}}
}


@router.post("/products/import", status_code=202, openapi_extra=REQUEST_BODY)
async def import_products(
    request: Request,
    response: Response,
    after: BackgroundTasks,
    session: Session,
    caller: Manager,
    dry_run: Annotated[bool, Query()] = False,
) -> ShownImport:
    """CSV (UTF-8) or XLSX as the multipart field `file`; products are made or changed by SKU. Follow the import
    at `GET /imports/{id}`. A dry run finds every mistake and changes nothing."""
    upload = await read_upload(request)
    header = await asyncio.to_thread(read_header, upload.content)
    origin = current_event_context()
    values = {
        "dry_run": dry_run,
        "format": format_of(upload.content),
        "file_name": upload.file_name,
        "columns": list(header.columns),
        "actor_id": caller.user_id,
        "actor_name": caller.username,
        "client_ip": origin.client_ip,
        "request_id": origin.request_id,
        "traceparent": origin.traceparent,
    }
    import_id = await queries.add_job(session, values, upload.content)
    response.headers["Location"] = f"/api/v1/imports/{import_id}"
    after.add_task(request.app.state.import_queued.set)
    return ShownImport.model_validate(await queries.shown_import(session, import_id))


@router.get("/imports", dependencies=[MANAGERS])
async def list_imports(session: ReadSession, paging: PageParameters) -> Page[ShownImport]:
    """The latest first."""
    rows, total, next_cursor = await queries.latest_imports(session, paging)
    return Page(
        items=[ShownImport.model_validate(row) for row in rows],
        page=paging.page,
        page_size=paging.page_size,
        total=total,
        next_cursor=next_cursor,
    )


@router.get("/imports/{import_id}", dependencies=[MANAGERS])
async def get_import(session: ReadSession, import_id: Id) -> ShownImport:
    row = await queries.shown_import(session, import_id)
    if row is None:
        raise UnknownImport()
    return ShownImport.model_validate(row)


@router.get(
    "/imports/{import_id}/errors", response_class=StreamingResponse, responses=FILE_CONTENT, dependencies=[MANAGERS]
)
async def get_import_errors(request: Request, session: ReadSession, import_id: Id) -> StreamingResponse:
    """The rows that failed, with their numbers and reasons, in the form of the file: mend them and import it again."""
    job = await queries.shown_import(session, import_id)
    if job is None:
        raise UnknownImport()
    rows = _report(request.app.state.database, import_id)
    return StreamingResponse(
        written(job.format, [*job.columns, *REPORT_COLUMNS], rows),
        media_type=CONTENT_TYPES[job.format],
        headers={
            "Content-Disposition": f'attachment; filename="import-{import_id}-errors.{job.format}"',
            "Cache-Control": "private, no-store",
        },
    )


async def _report(database: Database, import_id: int) -> AsyncIterator[Sequence[Sequence[Cell]]]:
    async for rows in queries.failed_rows(database, import_id):
        yield [[*row.cells, str(row.number), row.problem] for row in rows]
