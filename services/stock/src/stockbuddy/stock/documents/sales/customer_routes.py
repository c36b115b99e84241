"""What customers bought, over HTTP."""

from typing import Annotated

from fastapi import APIRouter, Path, Response

from stockbuddy.chassis.fields import Id
from stockbuddy.chassis.http.authentication import Caller
from stockbuddy.chassis.http.errors import NotFound
from stockbuddy.chassis.http.etags import ConditionalRoute
from stockbuddy.chassis.http.pagination import Page, PageParameters
from stockbuddy.chassis.http.sessions import ReadSession
from stockbuddy.stock.documents.customers.queries import find_customer
from stockbuddy.stock.documents.sales import queries
from stockbuddy.stock.documents.sales.schemas import SaleResponse
from stockbuddy.stock.http.responses import json_response

router = APIRouter(prefix="/api/v1/customers", tags=["customers"], route_class=ConditionalRoute)


@router.get("/{customer_id}/sales", response_model=Page[SaleResponse])
async def list_customer_sales(
    session: ReadSession, _: Caller, paging: PageParameters, customer_id: Annotated[Id, Path()]
) -> Response:
    if await find_customer(session, customer_id) is None:
        raise NotFound()
    chosen = queries.SaleFilter(customer_id=customer_id)
    listed, sales = await queries.list_sales(session, chosen, queries.LATEST_FIRST, paging)
    views = iter(sales)
    return json_response(listed.page(paging, lambda _: next(views)))
