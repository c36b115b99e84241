"""The route of a customer's sales."""

from typing import Annotated

from fastapi import APIRouter, Path, Response

from stockbuddy.chassis.access.permissions import Permission
from stockbuddy.chassis.fields import Id
from stockbuddy.chassis.http.authentication import requires
from stockbuddy.chassis.http.lightweight_route import LightweightRoute
from stockbuddy.chassis.http.pagination import Page, PageParameters
from stockbuddy.chassis.http.sessions import ReadSession, get_or_404
from stockbuddy.stock.documents.customers.model import Customer
from stockbuddy.stock.documents.sales import queries
from stockbuddy.stock.documents.sales.schemas import SaleFilter, SaleResponse
from stockbuddy.stock.http.responses import page_response

router = APIRouter(prefix="/api/v1/customers", tags=["customers"], route_class=LightweightRoute)


@router.get(
    "/{customer_id}/sales",
    response_model=Page[SaleResponse],
    dependencies=[requires(Permission.CUSTOMER_READ, Permission.SALE_READ)],
)
async def list_customer_sales(
    session: ReadSession, page: PageParameters, customer_id: Annotated[Id, Path()]
) -> Response:
    """List the sales of a customer.

    Newest first.
    """
    await get_or_404(session, Customer, customer_id)
    filters = SaleFilter(customer_id=customer_id, **page.model_dump())
    return page_response(await queries.list_sales(session, filters), filters)
