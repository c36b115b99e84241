"""Warehouses over HTTP; the gateway maps `/stores` here too."""

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response

from stockbuddy.chassis.http.authentication import Caller, Manager
from stockbuddy.chassis.http.etags import ConditionalRoute, require_match, version_etag
from stockbuddy.chassis.http.pagination import Page, PageParameters
from stockbuddy.chassis.http.sessions import ReadSession, Session
from stockbuddy.stock.errors import UnknownWarehouse
from stockbuddy.stock.fields import Id, Search
from stockbuddy.stock.http.responses import shown
from stockbuddy.stock.inventory.warehouses import commands, queries
from stockbuddy.stock.inventory.warehouses.warehouse_cache import directory_of
from stockbuddy.stock.inventory.warehouses.model import Warehouse
from stockbuddy.stock.inventory.warehouses.schemas import Kind, NewWarehouse, WarehouseChanges, WarehouseView

router = APIRouter(prefix="/api/v1/warehouses", tags=["warehouses"], route_class=ConditionalRoute)

WarehouseId = Annotated[Id, Path()]


@router.get("", response_model=Page[WarehouseView])
async def list_warehouses(
    session: ReadSession,
    _: Caller,
    paging: PageParameters,
    search: Annotated[Search | None, Query()] = None,
    kind: Annotated[Kind | None, Query()] = None,
) -> Response:
    listed = await queries.list_warehouses(session, paging, search=search, kind=kind)
    return shown(listed.page(paging, WarehouseView.model_validate))


@router.post("", response_model=WarehouseView, status_code=201)
async def open_warehouse(request: Request, session: Session, _: Manager, body: NewWarehouse) -> Response:
    warehouse = await commands.open_warehouse(session, **body.model_dump())
    directory_of(request).forget_after_commit(session)
    return _shown(warehouse, status=201)


@router.get("/{warehouse_id}", response_model=WarehouseView)
async def show_warehouse(session: ReadSession, _: Caller, warehouse_id: WarehouseId) -> Response:
    return _shown(_found(await queries.open_warehouse(session, warehouse_id)))


@router.put("/{warehouse_id}", response_model=WarehouseView)
@router.patch("/{warehouse_id}", response_model=WarehouseView, name="patch_warehouse")
async def change_warehouse(
    request: Request, session: Session, _: Manager, warehouse_id: WarehouseId, body: WarehouseChanges
) -> Response:
    warehouse = _found(await queries.open_warehouse(session, warehouse_id, for_update=True))
    require_match(request, version_etag(warehouse.version))
    await commands.change_warehouse(session, warehouse, _changes(body))
    directory_of(request).forget_after_commit(session)
    return _shown(warehouse)


@router.delete("/{warehouse_id}", status_code=204)
async def close_warehouse(request: Request, session: Session, _: Manager, warehouse_id: WarehouseId) -> None:
    if request.headers.get("if-match") is not None:
        warehouse = _found(await queries.open_warehouse(session, warehouse_id, for_update=True))
        require_match(request, version_etag(warehouse.version))
    await commands.close_warehouse(session, warehouse_id)
    directory_of(request).forget_after_commit(session)


def _changes(body: WarehouseChanges) -> dict[str, object]:
    """What was sent; null empties what may be empty and leaves the rest."""
    sent = body.model_dump(exclude_unset=True)
    return {name: value for name, value in sent.items() if value is not None or name in ("address", "negative_stock")}


def _found(warehouse: Warehouse | None) -> Warehouse:
    if warehouse is None:
        raise UnknownWarehouse()
    return warehouse


def _shown(warehouse: Warehouse, *, status: int = 200) -> Response:
    view = WarehouseView.model_validate(warehouse)
    return shown(view, status=status, etag=version_etag(warehouse.version))
