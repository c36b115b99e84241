"""HTTP of import jobs."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import StreamingResponse
from pydantic import ValidationError

from stockbuddy.catalog.dependencies import get_services
from stockbuddy.catalog.errors import AmbiguousSupplier, UnknownImport, UnreadableFile
from stockbuddy.catalog.imports import queries
from stockbuddy.catalog.imports.mapped_columns import ColumnMapping
from stockbuddy.catalog.imports.options import ImportOptions, ImportParameters
from stockbuddy.catalog.imports.preview import preview_import
from stockbuddy.catalog.imports.product_file import read_mapping
from stockbuddy.catalog.imports.runner import IMPORT_QUEUED
from stockbuddy.catalog.imports.schemas import ImportColumn, ImportPreview, ImportResponse
from stockbuddy.catalog.ownership import sorted_or_none
from stockbuddy.catalog.spreadsheets.cells import REPORT_COLUMNS
from stockbuddy.catalog.spreadsheets.reader import detect_format
from stockbuddy.catalog.spreadsheets.responses import SPREADSHEET_CONTENT, spreadsheet_response
from stockbuddy.catalog.spreadsheets.writer import Cell
from stockbuddy.catalog.uploads import Upload, read_upload, request_body
from stockbuddy.chassis.access.permissions import Permission
from stockbuddy.chassis.fields import Id
from stockbuddy.chassis.http.authentication import Caller, requires
from stockbuddy.chassis.http.errors import Unavailable, Unprocessable, raises
from stockbuddy.chassis.http.etags import ConditionalRoute
from stockbuddy.chassis.http.pagination import Page, PageParameters
from stockbuddy.chassis.http.sessions import ReadSession, Session
from stockbuddy.chassis.http.tokens import Principal
from stockbuddy.chassis.postgres.database import Database, signal_on_commit
from stockbuddy.chassis.runtime.event_context import current_event_context

HEADER_WAIT_SECONDS = 10
FORM = request_body(
    "ImportUpload",
    **{
        name: {"type": "string", "description": f"The query parameter of this name. {field.description}"}
        for name, field in ImportParameters.model_fields.items()
    },
)
PREVIEW: dict[int | str, dict[str, Any]] = {200: {"model": ImportPreview, "description": "The preview."}}

router = APIRouter(prefix="/api/v1", tags=["imports"], route_class=ConditionalRoute)


@router.post(
    "/imports",
    status_code=202,
    name="create_import",
    response_model=ImportResponse,
    responses=PREVIEW,
    openapi_extra=FORM,
    dependencies=[requires(Permission.IMPORT_RUN)],
)
@router.post(
    "/products/import",
    status_code=202,
    response_model=ImportResponse,
    responses=PREVIEW,
    openapi_extra=FORM,
    dependencies=[requires(Permission.IMPORT_RUN)],
)
@raises(UnreadableFile, AmbiguousSupplier)
async def import_products(
    request: Request,
    response: Response,
    session: Session,
    caller: Caller,
    query: Annotated[ImportParameters, Query()],
) -> ImportResponse | Response:
    """Import products from a file.

    A CSV or XLSX file up to 10 MiB as the raw body or the multipart field `file`: the export of this system, or
    that of Shopify, WooCommerce, PrestaShop, Square or Odoo, recognised by its headers. Products are created or
    updated by SKU, row by row; rows that fail are collected. Poll the job at `GET /imports/{import_id}`. With
    `preview` the effect is returned at once, with status 200, and nothing changes.
    """
    upload = await read_upload(request, known_fields=ImportParameters.model_fields)
    parameters = _merge_form(query, upload.fields)
    options = parameters.to_options()
    slots = get_services(request).header_reading
    await _acquire(slots)
    try:
        mapping = await read_mapping(upload.content, options)
        values = _job_values(caller, upload, mapping, options, is_dry_run=bool(parameters.dry_run))
        if parameters.preview:
            preview = await preview_import(session, values, upload.content)
            return Response(preview.model_dump_json(), media_type="application/json")
    finally:
        slots.release()
    import_id = await queries.insert_job(session, values, upload.content)
    signal_on_commit(session, IMPORT_QUEUED)
    response.headers["Location"] = f"/api/v1/imports/{import_id}"
    return ImportResponse.model_validate(await queries.get_import(session, import_id))


def _job_values(
    caller: Principal, upload: Upload, mapping: ColumnMapping, options: ImportOptions, *, is_dry_run: bool
) -> dict[str, Any]:
    context = current_event_context()
    columns = [
        ImportColumn(column=column.header or f"column {column.position + 1}", field=column.field)
        for column in mapping.columns
    ]
    return {
        "dry_run": is_dry_run,
        "format": detect_format(upload.content),
        "file_name": upload.file_name,
        "columns": list(mapping.fields),
        "options": options.model_dump_json(),
        "system": mapping.system.name,
        "mapping": f"[{','.join(column.model_dump_json() for column in columns)}]",
        "actor_id": caller.user_id,
        "actor_name": caller.username,
        "warehouse_ids": sorted_or_none(caller.warehouse_ids),
        "client_ip": context.client_ip,
        "request_id": context.request_id,
        "traceparent": context.traceparent,
    }


def _merge_form(query: ImportParameters, fields: Mapping[str, str]) -> ImportParameters:
    """Raises RequestValidationError, or Unprocessable if query and form contradict each other."""
    try:
        form = ImportParameters.model_validate(fields)
    except ValidationError as error:
        raise RequestValidationError([{**e, "loc": ("body", *e["loc"])} for e in error.errors()]) from error
    given = query.model_dump(exclude_none=True)
    for name, value in form.model_dump(exclude_none=True).items():
        if given.setdefault(name, value) != value:
            raise Unprocessable.field(name, "differs between the query and the form")
    return ImportParameters.model_construct(**given)


async def _acquire(slots: asyncio.Semaphore) -> None:
    try:
        async with asyncio.timeout(HEADER_WAIT_SECONDS):
            await slots.acquire()
    except TimeoutError as error:
        raise Unavailable("Too many files are being read.") from error


@router.get("/imports", dependencies=[requires(Permission.IMPORT_RUN)])
async def list_imports(session: ReadSession, query: PageParameters) -> Page[ImportResponse]:
    """List imports.

    Newest first, those of all users.
    """
    page = await queries.list_imports(session, query)
    return page.to_page(query, ImportResponse.model_validate)


@router.get("/imports/{import_id}", dependencies=[requires(Permission.IMPORT_RUN)])
@raises(UnknownImport)
async def get_import(session: ReadSession, import_id: Id) -> ImportResponse:
    """Read the progress of an import.

    Poll it until `state` is `finished` or `failed`. `errors_url` has the rows that failed.
    """
    return ImportResponse.model_validate(await queries.get_import(session, import_id))


@router.get(
    "/imports/{import_id}/errors",
    response_class=StreamingResponse,
    responses=SPREADSHEET_CONTENT,
    dependencies=[requires(Permission.IMPORT_RUN)],
)
@raises(UnknownImport)
async def get_import_errors(request: Request, session: ReadSession, import_id: Id) -> StreamingResponse:
    """Download the rows of an import that failed.

    In the format of the file, each with its number and its problem: correct them and import the file again.
    """
    job = await queries.get_import(session, import_id)
    rows = _report_rows(get_services(request).database, import_id)
    return spreadsheet_response(job.format, [*job.columns, *REPORT_COLUMNS], rows, name=f"import-{import_id}-errors")


async def _report_rows(database: Database, import_id: int) -> AsyncIterator[Sequence[Sequence[Cell]]]:
    async for rows in queries.read_failed_rows(database, import_id):
        yield [[*row.cells, str(row.number), row.problem] for row in rows]
