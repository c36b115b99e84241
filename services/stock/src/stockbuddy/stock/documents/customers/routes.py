"""Customers over HTTP; what they bought is beside the sales."""

from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query, Response

from stockbuddy.chassis.fields import Id
from stockbuddy.chassis.http.authentication import Caller
from stockbuddy.chassis.http.errors import NotFound
from stockbuddy.chassis.http.etags import ConditionalRoute, IfMatch, require_match, version_etag
from stockbuddy.chassis.http.pagination import Page, PageParameters
from stockbuddy.chassis.http.sessions import ReadSession, Session
from stockbuddy.stock.documents.customers import commands, queries
from stockbuddy.stock.documents.customers.model import Customer
from stockbuddy.stock.documents.customers.schemas import CustomerUpdate, CustomerResponse, CustomerCreate
from stockbuddy.stock.fields import Search
from stockbuddy.stock.http.responses import json_response

router = APIRouter(prefix="/api/v1/customers", tags=["customers"], route_class=ConditionalRoute)

CustomerId = Annotated[Id, Path()]
SortBy = Literal["name_asc", "name_desc", "created_asc", "created_desc"]


@router.get("", response_model=Page[CustomerResponse])
async def list_customers(
    session: ReadSession,
    _: Caller,
    paging: PageParameters,
    search: Annotated[Search | None, Query()] = None,
    sort_by: Annotated[SortBy, Query()] = "name_asc",
) -> Response:
    listed = await queries.list_customers(session, search, queries.SORTS[sort_by], paging)
    return json_response(listed.page(paging, CustomerResponse.model_validate))


@router.post("", response_model=CustomerResponse, status_code=201)
async def add_customer(session: Session, _: Caller, body: CustomerCreate) -> Response:
    return _shown(await commands.add_customer(session, body.model_dump()), status=201)


@router.get("/{customer_id}", response_model=CustomerResponse)
async def show_customer(session: ReadSession, _: Caller, customer_id: CustomerId) -> Response:
    return _shown(_found(await queries.find_customer(session, customer_id)))


@router.put("/{customer_id}", response_model=CustomerResponse)
@router.patch("/{customer_id}", response_model=CustomerResponse, name="patch_customer")
async def change_customer(
    if_match: IfMatch, session: Session, _: Caller, customer_id: CustomerId, body: CustomerUpdate
) -> Response:
    customer = _found(await queries.lock_customer(session, customer_id))
    require_match(if_match, version_etag(customer.version))
    sent = body.model_dump(exclude_unset=True)
    changes = {name: value for name, value in sent.items() if value is not None or name != "name"}
    await commands.change_customer(session, customer, changes)
    return _shown(customer)


@router.delete("/{customer_id}", status_code=204)
async def forget_customer(if_match: IfMatch, session: Session, _: Caller, customer_id: CustomerId) -> None:
    customer = _found(await queries.lock_customer(session, customer_id))
    require_match(if_match, version_etag(customer.version))
    await commands.forget_customer(session, customer)


def _found(customer: Customer | None) -> Customer:
    if customer is None:
        raise NotFound()
    return customer


def _shown(customer: Customer, *, status: int = 200) -> Response:
    view = CustomerResponse.model_validate(customer)
    return json_response(view, status=status, etag=version_etag(customer.version))
