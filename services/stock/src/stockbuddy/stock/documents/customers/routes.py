"""Routes of customers. For their sales see sales/customer_routes.py, for erasure persons/routes.py."""

from typing import Annotated

from fastapi import APIRouter, Path, Query, Response

from stockbuddy.chassis.access.permissions import Permission
from stockbuddy.chassis.fields import Id
from stockbuddy.chassis.http.authentication import requires
from stockbuddy.chassis.http.errors import raises
from stockbuddy.chassis.http.etags import IfMatch, require_match, version_etag
from stockbuddy.chassis.http.lightweight_route import LightweightRoute
from stockbuddy.chassis.http.pagination import Page
from stockbuddy.chassis.http.sessions import ReadSession, Session, get_or_404
from stockbuddy.stock.documents.customers import commands, queries
from stockbuddy.stock.documents.customers.model import Customer
from stockbuddy.stock.documents.customers.schemas import (
    CustomerCreate,
    CustomerFilter,
    CustomerResponse,
    CustomerUpdate,
)
from stockbuddy.stock.errors import ErasedCustomer
from stockbuddy.stock.http.responses import json_response

router = APIRouter(prefix="/api/v1/customers", tags=["customers"], route_class=LightweightRoute)

CustomerId = Annotated[Id, Path()]


@router.get("", response_model=Page[CustomerResponse], dependencies=[requires(Permission.CUSTOMER_READ)])
async def list_customers(session: ReadSession, filters: Annotated[CustomerFilter, Query()]) -> Response:
    """List customers.

    Ordered by name unless `sort_by` says otherwise.
    """
    found = await queries.list_customers(session, filters)
    return json_response(found.to_page(filters, CustomerResponse.model_validate))


@router.post("", response_model=CustomerResponse, status_code=201, dependencies=[requires(Permission.CUSTOMER_WRITE)])
async def create_customer(session: Session, body: CustomerCreate) -> Response:
    """Create a customer.

    Several customers may have the same name.
    """
    return to_response(await commands.create_customer(session, body.model_dump()), status=201)


@router.get("/{customer_id}", response_model=CustomerResponse, dependencies=[requires(Permission.CUSTOMER_READ)])
async def get_customer(session: ReadSession, customer_id: CustomerId) -> Response:
    """Read a customer.

    `ETag` is the version, for a later change.
    """
    return to_response(await get_or_404(session, Customer, customer_id))


@router.put(
    "/{customer_id}",
    response_model=CustomerResponse,
    name="update_customer_put",
    dependencies=[requires(Permission.CUSTOMER_WRITE)],
)
@router.patch("/{customer_id}", response_model=CustomerResponse, dependencies=[requires(Permission.CUSTOMER_WRITE)])
@raises(ErasedCustomer)
async def update_customer(
    session: Session, customer_id: CustomerId, body: CustomerUpdate, if_match: IfMatch = None
) -> Response:
    """Change a customer.

    PUT and PATCH do the same: absent fields keep their values, null clears.
    """
    customer = await get_or_404(session, Customer, customer_id, for_update=True)
    require_match(if_match, version_etag(customer.version))
    if customer.erased_at is not None:
        raise ErasedCustomer()
    await commands.update_customer(session, customer, body.sent_fields())
    return to_response(customer)


@router.delete("/{customer_id}", status_code=204, dependencies=[requires(Permission.CUSTOMER_WRITE)])
async def delete_customer(session: Session, customer_id: CustomerId, if_match: IfMatch = None) -> None:
    """Delete a customer.

    The sales stay, without the customer's name.
    """
    customer = await get_or_404(session, Customer, customer_id, for_update=True)
    require_match(if_match, version_etag(customer.version))
    await commands.delete_customer(session, customer)


def to_response(customer: Customer, *, status: int = 200) -> Response:
    """The customer with its entity tag."""
    body = CustomerResponse.model_validate(customer)
    return json_response(body, status=status, etag=version_etag(customer.version))
