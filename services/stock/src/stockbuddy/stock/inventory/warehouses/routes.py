"""Routes of warehouses; the gateway also maps `/stores` to them."""

from typing import Annotated

from fastapi import APIRouter, Path, Query, Response
from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.chassis.access.permissions import Permission
from stockbuddy.chassis.fields import Id
from stockbuddy.chassis.http.authentication import Caller, requires
from stockbuddy.chassis.http.errors import raises
from stockbuddy.chassis.http.etags import IfMatch, require_match, version_etag
from stockbuddy.chassis.http.lightweight_route import LightweightRoute
from stockbuddy.chassis.http.pagination import Page
from stockbuddy.chassis.http.sessions import ReadSession, Session
from stockbuddy.chassis.http.tokens import Principal
from stockbuddy.stock.errors import (
    DefaultWarehouseRequired,
    UnknownWarehouse,
    WarehouseCodeTaken,
    WarehouseForbidden,
    WarehouseInUse,
)
from stockbuddy.stock.http.responses import json_response
from stockbuddy.stock.inventory.warehouses import commands, queries
from stockbuddy.stock.inventory.warehouses.model import Warehouse
from stockbuddy.stock.inventory.warehouses.schemas import (
    WarehouseCreate,
    WarehouseFilter,
    WarehouseResponse,
    WarehouseUpdate,
)

router = APIRouter(prefix="/api/v1/warehouses", tags=["warehouses"], route_class=LightweightRoute)

WarehouseId = Annotated[Id, Path()]


@router.get("", response_model=Page[WarehouseResponse], dependencies=[requires(Permission.STOCK_READ)])
async def list_warehouses(session: ReadSession, filters: Annotated[WarehouseFilter, Query()]) -> Response:
    """List the warehouses and stores.

    In the order of their creation. Every user sees all of them, including those whose stock the user may not change.
    """
    found = await queries.list_warehouses(session, filters)
    return json_response(found.to_page(filters, WarehouseResponse.model_validate))


@router.post("", response_model=WarehouseResponse, status_code=201, dependencies=[requires(Permission.WAREHOUSE_WRITE)])
@raises(WarehouseCodeTaken, WarehouseForbidden)
async def create_warehouse(session: Session, caller: Caller, body: WarehouseCreate) -> Response:
    """Create a warehouse or a store.

    With `is_default` it becomes the one that calls without a warehouse use; the former default loses that role in
    the same transaction.
    """
    return _to_response(await commands.create_warehouse(session, caller, **body.model_dump()), status=201)


@router.get("/{warehouse_id}", response_model=WarehouseResponse, dependencies=[requires(Permission.STOCK_READ)])
@raises(UnknownWarehouse)
async def get_warehouse(session: ReadSession, warehouse_id: WarehouseId) -> Response:
    """Read a warehouse.

    `ETag` is its version, for a later change.
    """
    return _to_response(await queries.get_active_warehouse(session, warehouse_id))


@router.put(
    "/{warehouse_id}",
    response_model=WarehouseResponse,
    name="update_warehouse_put",
    dependencies=[requires(Permission.WAREHOUSE_WRITE)],
)
@router.patch("/{warehouse_id}", response_model=WarehouseResponse, dependencies=[requires(Permission.WAREHOUSE_WRITE)])
@raises(WarehouseCodeTaken, WarehouseForbidden, UnknownWarehouse, DefaultWarehouseRequired)
async def update_warehouse(
    session: Session, caller: Caller, warehouse_id: WarehouseId, body: WarehouseUpdate, if_match: IfMatch = None
) -> Response:
    """Change a warehouse.

    PUT and PATCH do the same: absent fields keep their values. There is always a default warehouse: instead of
    clearing `is_default`, set it on another one.
    """
    warehouse = await _load_for_update(session, caller, warehouse_id, if_match)
    await commands.update_warehouse(session, caller, warehouse, body.sent_fields())
    return _to_response(warehouse)


@router.delete("/{warehouse_id}", status_code=204, dependencies=[requires(Permission.WAREHOUSE_WRITE)])
@raises(WarehouseForbidden, UnknownWarehouse, DefaultWarehouseRequired, WarehouseInUse)
async def delete_warehouse(
    session: Session, caller: Caller, warehouse_id: WarehouseId, if_match: IfMatch = None
) -> None:
    """Delete a warehouse without stock.

    Its movements and documents stay readable. A warehouse with stock, reservations, or open transfers, orders or counts
    gets 409 `warehouse_in_use` with these documents; the default warehouse cannot be deleted.
    """
    await commands.delete_warehouse(session, await _load_for_update(session, caller, warehouse_id, if_match))


async def _load_for_update(
    session: AsyncSession, caller: Principal, warehouse_id: int, if_match: str | None
) -> Warehouse:
    """The locked warehouse. Raises UnknownWarehouse, WarehouseForbidden, PreconditionFailed."""
    warehouse = await queries.get_active_warehouse(session, warehouse_id, for_update=True)
    commands.require_access(caller, warehouse.id)
    require_match(if_match, version_etag(warehouse.version))
    return warehouse


def _to_response(warehouse: Warehouse, *, status: int = 200) -> Response:
    body = WarehouseResponse.model_validate(warehouse)
    return json_response(body, status=status, etag=version_etag(warehouse.version))
