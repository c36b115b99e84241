"""HTTP of suppliers."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response

from stockbuddy.catalog.errors import UnknownSupplier
from stockbuddy.catalog.suppliers import commands, queries
from stockbuddy.catalog.suppliers.model import Supplier
from stockbuddy.catalog.suppliers.schemas import NewSupplier, ShownSupplier, Sort, SupplierChange
from stockbuddy.catalog.wording import Id, Reference, Words
from stockbuddy.chassis.http.sessions import ReadSession, Session
from stockbuddy.chassis.http.etags import ConditionalRoute, version_etag
from stockbuddy.chassis.http.authentication import Caller, authenticate
from stockbuddy.chassis.http.pagination import Page, PageParameters

router = APIRouter(
    prefix="/api/v1/suppliers", tags=["suppliers"], route_class=ConditionalRoute, dependencies=[Depends(authenticate)]
)


@router.get("")
async def list_suppliers(
    session: ReadSession,
    paging: PageParameters,
    search: Annotated[Words | None, Query()] = None,
    owner_id: Annotated[Reference | None, Query()] = None,
    sort_by: Sort = "name_asc",
) -> Page[ShownSupplier]:
    found = await queries.list_suppliers(session, sort_by, search, owner_id, paging)
    return Page(
        items=[ShownSupplier.model_validate(supplier) for supplier in found.rows],
        page=paging.page,
        page_size=paging.page_size,
        total=found.total,
        next_cursor=found.next_cursor,
    )


@router.post("", status_code=201)
async def create_supplier(response: Response, session: Session, caller: Caller, new: NewSupplier) -> ShownSupplier:
    return _answer(response, await commands.create_supplier(session, caller, new))


@router.get("/{supplier_id}")
async def get_supplier(response: Response, session: ReadSession, supplier_id: Id) -> ShownSupplier:
    supplier = await queries.living_supplier(session, supplier_id)
    if supplier is None:
        raise UnknownSupplier()
    return _answer(response, supplier)


@router.put("/{supplier_id}")
async def put_supplier(
    request: Request, response: Response, session: Session, caller: Caller, supplier_id: Id, change: SupplierChange
) -> ShownSupplier:
    """The same as PATCH: what is left out stays as it is."""
    return _answer(response, await commands.change_supplier(session, caller, request, supplier_id, change))


@router.patch("/{supplier_id}")
async def patch_supplier(
    request: Request, response: Response, session: Session, caller: Caller, supplier_id: Id, change: SupplierChange
) -> ShownSupplier:
    return _answer(response, await commands.change_supplier(session, caller, request, supplier_id, change))


@router.delete("/{supplier_id}", status_code=204)
async def delete_supplier(request: Request, session: Session, caller: Caller, supplier_id: Id) -> None:
    """409 while products come from it."""
    await commands.delete_supplier(session, caller, request, supplier_id)


def _answer(response: Response, supplier: Supplier) -> ShownSupplier:
    response.headers["ETag"] = version_etag(supplier.version)
    return ShownSupplier.model_validate(supplier)
