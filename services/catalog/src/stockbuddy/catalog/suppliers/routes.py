"""HTTP of suppliers."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Response

from stockbuddy.catalog.errors import InUse, NotOwner, UnknownSupplier
from stockbuddy.catalog.suppliers import commands, queries
from stockbuddy.catalog.suppliers.model import Supplier
from stockbuddy.catalog.suppliers.schemas import SupplierCreate, SupplierFilter, SupplierResponse, SupplierUpdate
from stockbuddy.chassis.access.permissions import Permission
from stockbuddy.chassis.fields import Id
from stockbuddy.chassis.http.authentication import Caller, authenticate, requires
from stockbuddy.chassis.http.errors import raises
from stockbuddy.chassis.http.etags import ConditionalRoute, IfMatch, version_etag
from stockbuddy.chassis.http.pagination import Page
from stockbuddy.chassis.http.sessions import ReadSession, Session

router = APIRouter(
    prefix="/api/v1/suppliers", tags=["suppliers"], route_class=ConditionalRoute, dependencies=[Depends(authenticate)]
)


@router.get("", dependencies=[requires(Permission.CATALOG_READ)])
async def list_suppliers(session: ReadSession, query: Annotated[SupplierFilter, Query()]) -> Page[SupplierResponse]:
    """List suppliers.

    Ordered by name unless `sort_by` says otherwise.
    """
    page = await queries.list_suppliers(session, query)
    return page.to_page(query, SupplierResponse.model_validate)


@router.post("", status_code=201, dependencies=[requires(Permission.CATALOG_WRITE)])
async def create_supplier(
    response: Response, session: Session, caller: Caller, body: SupplierCreate
) -> SupplierResponse:
    """Create a supplier.

    Its `lead_time_days` is used by reorder suggestions.
    """
    return _respond(response, await commands.create_supplier(session, caller, body))


@router.get("/{supplier_id}", dependencies=[requires(Permission.CATALOG_READ)])
@raises(UnknownSupplier)
async def get_supplier(response: Response, session: ReadSession, supplier_id: Id) -> SupplierResponse:
    """Read a supplier.

    `ETag` is the version, for a later change.
    """
    return _respond(response, await queries.get_active_supplier(session, supplier_id))


@router.put("/{supplier_id}", name="update_supplier_put", dependencies=[requires(Permission.CATALOG_WRITE)])
@router.patch("/{supplier_id}", dependencies=[requires(Permission.CATALOG_WRITE)])
@raises(NotOwner, UnknownSupplier)
async def update_supplier(
    response: Response,
    session: Session,
    caller: Caller,
    supplier_id: Id,
    body: SupplierUpdate,
    if_match: IfMatch = None,
) -> SupplierResponse:
    """Change a supplier.

    PUT and PATCH do the same: absent fields keep their values, null clears a nullable one.
    """
    return _respond(response, await commands.update_supplier(session, caller, supplier_id, body, if_match))


@router.delete("/{supplier_id}", status_code=204, dependencies=[requires(Permission.CATALOG_DELETE)])
@raises(NotOwner, UnknownSupplier, InUse)
async def delete_supplier(session: Session, caller: Caller, supplier_id: Id, if_match: IfMatch = None) -> None:
    """Delete a supplier without products.

    A supplier of products gets 409 `in_use`.
    """
    await commands.delete_supplier(session, caller, supplier_id, if_match)


def _respond(response: Response, supplier: Supplier) -> SupplierResponse:
    response.headers["ETag"] = version_etag(supplier.version)
    return SupplierResponse.model_validate(supplier)
