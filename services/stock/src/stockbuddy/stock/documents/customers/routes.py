"""Routes of customers. For a customer's sales see sales/customer_routes.py."""

from typing import Annotated

from fastapi import APIRouter, Path, Query, Response

from stockbuddy.chassis.access.permissions import Permission
from stockbuddy.chassis.fields import Id
from stockbuddy.chassis.http.authentication import requires
from stockbuddy.chassis.http.errors import raises
from stockbuddy.chassis.http.etags import ConditionalRoute, IfMatch, require_match, version_etag
from stockbuddy.chassis.http.pagination import Page
from stockbuddy.chassis.http.personal_data import PersonalDataResponse, export_sections
from stockbuddy.chassis.http.sessions import ReadSession, Session, get_or_404
from stockbuddy.stock.documents.customers import commands, queries
from stockbuddy.stock.documents.customers.model import Customer
from stockbuddy.stock.documents.customers.personal_data_queries import OF_CUSTOMER
from stockbuddy.stock.documents.customers.schemas import (
    CustomerCreate,
    CustomerFilter,
    CustomerResponse,
    CustomerUpdate,
)
from stockbuddy.stock.errors import ErasedCustomer
from stockbuddy.stock.http.responses import json_response

router = APIRouter(prefix="/api/v1/customers", tags=["customers"], route_class=ConditionalRoute)

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
    return _to_response(await commands.create_customer(session, body.model_dump()), status=201)


@router.get("/{customer_id}", response_model=CustomerResponse, dependencies=[requires(Permission.CUSTOMER_READ)])
async def get_customer(session: ReadSession, customer_id: CustomerId) -> Response:
    """Read a customer.

    `ETag` is the version, for a later change.
    """
    return _to_response(await get_or_404(session, Customer, customer_id))


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
    return _to_response(customer)


@router.delete("/{customer_id}", status_code=204, dependencies=[requires(Permission.CUSTOMER_WRITE)])
async def delete_customer(session: Session, customer_id: CustomerId, if_match: IfMatch = None) -> None:
    """Delete a customer.

    The sales stay, without the customer's name.
    """
    customer = await get_or_404(session, Customer, customer_id, for_update=True)
    require_match(if_match, version_etag(customer.version))
    await commands.delete_customer(session, customer)


@router.post(
    "/{customer_id}/erase", response_model=CustomerResponse, dependencies=[requires(Permission.CUSTOMER_ERASE)]
)
async def erase_customer(session: Session, customer_id: CustomerId, if_match: IfMatch = None) -> Response:
    """Erase the personal data of a customer.

    Cannot be undone. Name, e-mail address, phone number, postal address and notes are deleted here, in the notes of
    the customer's sales, in the event log and in every other copy; amounts, quantities and the audit trail stay. The
    copies of other services follow within seconds. Repeating it changes nothing.
    """
    customer = await get_or_404(session, Customer, customer_id, for_update=True)
    require_match(if_match, version_etag(customer.version))
    await commands.erase_customer(session, customer)
    return _to_response(customer)


@router.get("/{customer_id}/personal-data", dependencies=[requires(Permission.CUSTOMER_ERASE)])
async def export_customer_personal_data(session: ReadSession, customer_id: CustomerId) -> PersonalDataResponse:
    """Export the personal data of a customer.

    Everything that is stored about the customer, by section: the record, sales and returns, the values in the event
    log, audit entries and e-mails. A section with more than 10,000 rows has the newest, and is named in `truncated`.
    """
    await get_or_404(session, Customer, customer_id)
    return await export_sections(session, f"customer/{customer_id}", OF_CUSTOMER)


def _to_response(customer: Customer, *, status: int = 200) -> Response:
    body = CustomerResponse.model_validate(customer)
    return json_response(body, status=status, etag=version_etag(customer.version))
