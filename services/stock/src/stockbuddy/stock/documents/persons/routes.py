"""Routes that export and erase the personal data of a customer."""

from typing import Annotated

from fastapi import APIRouter, Path, Response

from stockbuddy.chassis.access.permissions import Permission
from stockbuddy.chassis.fields import Id
from stockbuddy.chassis.http.authentication import requires
from stockbuddy.chassis.http.etags import ConditionalRoute, IfMatch, require_match, version_etag
from stockbuddy.chassis.http.personal_data import PersonalDataResponse, export_sections
from stockbuddy.chassis.http.sessions import ReadSession, Session, get_or_404
from stockbuddy.stock.documents.customers.model import Customer
from stockbuddy.stock.documents.customers.routes import to_response
from stockbuddy.stock.documents.customers.schemas import CustomerResponse
from stockbuddy.stock.documents.persons import commands
from stockbuddy.stock.documents.persons.export_queries import OF_CUSTOMER

router = APIRouter(prefix="/api/v1/customers", tags=["customers"], route_class=ConditionalRoute)

CustomerId = Annotated[Id, Path()]


@router.post(
    "/{customer_id}/erase",
    response_model=CustomerResponse,
    dependencies=[requires(Permission.CUSTOMER_READ, Permission.CUSTOMER_ERASE)],
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
    return to_response(customer)


@router.get(
    "/{customer_id}/personal-data", dependencies=[requires(Permission.CUSTOMER_READ, Permission.CUSTOMER_ERASE)]
)
async def export_customer_personal_data(session: ReadSession, customer_id: CustomerId) -> PersonalDataResponse:
    """Export the personal data of a customer.

    Everything that is stored about the customer, by section: the record, sales and returns, the values in the event
    log, audit entries and e-mails. A section with more than 10,000 rows has the newest, and is named in `truncated`.
    """
    await get_or_404(session, Customer, customer_id)
    return await export_sections(session, f"customer/{customer_id}", OF_CUSTOMER)
