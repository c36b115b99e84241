"""HTTP of exports: the list's filters, answered with a file."""

from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import StreamingResponse

from stockbuddy.catalog.exports.queries import exported_rows
from stockbuddy.catalog.listing.schemas import ProductListing
from stockbuddy.catalog.sheets.cells import COLUMNS
from stockbuddy.catalog.sheets.reading import Format
from stockbuddy.catalog.sheets.writing import CONTENT_TYPES, written
from stockbuddy.chassis.http.errors import Forbidden
from stockbuddy.chassis.http.etags import ConditionalRoute
from stockbuddy.chassis.http.authentication import Caller

router = APIRouter(prefix="/api/v1/products", tags=["exports"], route_class=ConditionalRoute)

FILE_CONTENT: dict[int | str, dict[str, Any]] = {
    200: {
        "content": {
            "text/csv": {"schema": {"type": "string"}},
            CONTENT_TYPES["xlsx"]: {"schema": {"type": "string", "format": "binary"}},
        }
    }
}


class ExportQuery(ProductListing):
    """The filters of the list; sorts and pages mean nothing here."""

    format: Format = "csv"


@router.get("/export", response_class=StreamingResponse, responses=FILE_CONTENT)
async def export_products(
    request: Request, caller: Caller, query: Annotated[ExportQuery, Query()]
) -> StreamingResponse:
    """As CSV or XLSX, in a form that imports again unchanged."""
    if query.include_deleted and not caller.is_manager:
        raise Forbidden("Only managers and admins see deleted products.")
    rows = exported_rows(request.app.state.database, query)
    name = f"products-{datetime.now(UTC):%Y-%m-%d}.{query.format}"
    return StreamingResponse(
        written(query.format, COLUMNS, rows),
        media_type=CONTENT_TYPES[query.format],
        headers={"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "private, no-store"},
    )
