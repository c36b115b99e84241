"""HTTP of exports: the filters of the list, with a file as the response."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import StreamingResponse

from stockbuddy.catalog.dependencies import get_services
from stockbuddy.catalog.exports.queries import read_rows
from stockbuddy.catalog.ownership import require_access_to_deleted
from stockbuddy.catalog.search.created_dates import with_moments
from stockbuddy.catalog.search.schemas import ProductFilter
from stockbuddy.catalog.spreadsheets.cells import COLUMNS, COST_COLUMNS
from stockbuddy.catalog.spreadsheets.reader import Format
from stockbuddy.catalog.spreadsheets.responses import SPREADSHEET_CONTENT, spreadsheet_response
from stockbuddy.chassis.access.permissions import Permission
from stockbuddy.chassis.http.authentication import Caller, requires
from stockbuddy.chassis.http.errors import Forbidden, raises
from stockbuddy.chassis.http.etags import ConditionalRoute
from stockbuddy.chassis.http.jobs.deferral import ACCEPTED, deferrable
from stockbuddy.chassis.http.resources import get_resources
from stockbuddy.chassis.runtime import clock

router = APIRouter(prefix="/api/v1/products", tags=["exports"], route_class=ConditionalRoute)


class ExportQuery(ProductFilter):
    """The filters of the list; sort order, page and `exact_total` are ignored."""

    format: Format = "csv"


@router.get(
    "/export",
    response_class=StreamingResponse,
    responses={**ACCEPTED, **SPREADSHEET_CONTENT},
    dependencies=[requires(Permission.EXPORT_RUN)],
)
@deferrable
@raises(Forbidden)
async def export_products(
    request: Request, caller: Caller, query: Annotated[ExportQuery, Query()]
) -> StreamingResponse:
    """Export products as a spreadsheet.

    CSV or XLSX of all products that the filters select; importing the file again changes nothing. Sort order and
    page are ignored. Cost prices require `cost.read`.
    """
    require_access_to_deleted(caller, include_deleted=query.include_deleted)
    database = get_services(request).database
    columns = [name for name in COLUMNS if caller.may(Permission.COST_READ) or name not in COST_COLUMNS]
    rows = read_rows(get_resources(request).reads, await with_moments(database, query), columns)
    return spreadsheet_response(query.format, columns, rows, name=f"products-{clock.now():%Y-%m-%d}")
