"""What customers bought, over HTTP."""

from typing import Annotated

from fastapi import APIRouter, Path, Response

from stockbuddy.chassis.database import ReadSession
from stockbuddy.chassis.errors import NotFound
from stockbuddy.chassis.etags import CachedRoute
from stockbuddy.chassis.identity import Caller
from stockbuddy.chassis.paging import Page, PagingParameters
from stockbuddy.stock.answers import shown
from stockbuddy.stock.customers.queries import find_customer
from stockbuddy.stock.fields import Id
from stockbuddy.stock.sales import queries
from stockbuddy.stock.sales.schemas import SaleView

router = APIRouter(prefix="/api/v1/customers", tags=["customers"], route_class=CachedRoute)


@router.get("/{customer_id}/sales", response_model=Page[SaleView])
async def list_customer_sales(
    session: ReadSession, _: Caller, paging: PagingParameters, customer_id: Annotated[Id, Path()]
) -> Response:
    if await find_customer(session, customer_id) is None:
        raise NotFound()
    chosen = queries.SaleFilter(customer_id=customer_id)
    listed, sales = await queries.list_sales(session, chosen, queries.LATEST_FIRST, paging)
    views = iter(sales)
    return shown(listed.page(paging, lambda _: next(views)))
