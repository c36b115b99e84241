"""Opens, changes and closes warehouses."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.chassis.messaging import outbox
from stockbuddy.chassis.postgres.database import Database
from stockbuddy.contracts.stock import WarehouseCreated, WarehouseDeleted, WarehouseState, WarehouseUpdated
from stockbuddy.stock.errors import DefaultWarehouseNeeded, UnknownWarehouse, WarehouseCodeTaken, WarehouseInUse
from stockbuddy.stock.inventory.warehouses import queries
from stockbuddy.stock.inventory.warehouses.model import Warehouse

DEFAULT_CODE = "MAIN"

_TAKE_TURNS = text("SELECT pg_advisory_xact_lock(hashtext(current_schema() || ' default warehouse'))")


async def open_default_warehouse(database: Database) -> None:
    """At the first start: there is always a default warehouse. Replicas that start at once make one between them."""
    async with database.transaction() as session:
        await session.execute(_TAKE_TURNS)
        if await queries.lock_default(session) is None:
            await open_warehouse(session, name="Main warehouse", code=DEFAULT_CODE, is_default=True)


async def open_warehouse(session: AsyncSession, **values: Any) -> Warehouse:
    """Raises WarehouseCodeTaken."""
    warehouse = Warehouse(**values)
    if warehouse.is_default:
        await _hand_over_default(session)
    session.add(warehouse)
    await _flush(session)
    await session.refresh(warehouse)
    outbox.add(session, _state(WarehouseCreated, warehouse))
    return warehouse


async def change_warehouse(session: AsyncSession, warehouse: Warehouse, changes: dict[str, Any]) -> None:
    """Raises WarehouseCodeTaken, DefaultWarehouseNeeded."""
    if warehouse.is_default and changes.get("is_default") is False:
        raise DefaultWarehouseNeeded()
    if changes.get("is_default") and not warehouse.is_default:
        await _hand_over_default(session)
    for name, value in changes.items():
        setattr(warehouse, name, value)
    _touch(warehouse)
    await _flush(session)
    outbox.add(session, _state(WarehouseUpdated, warehouse))


async def close_warehouse(session: AsyncSession, warehouse_id: int) -> None:
    """Raises UnknownWarehouse, DefaultWarehouseNeeded, WarehouseInUse.

    The row is locked first, so that no new level can come to be; then the levels, so that no posting is under way.
    A posting that waits for them reads the warehouse once it has its locks, and finds it closed.
    """
    warehouse = await queries.open_warehouse(session, warehouse_id, for_update=True)
    if warehouse is None:
        raise UnknownWarehouse()
    if warehouse.is_default:
        raise DefaultWarehouseNeeded()
    if await queries.lock_stock(session, warehouse_id):
        raise WarehouseInUse()
    warehouse.deleted = True
    _touch(warehouse)
    outbox.add(session, _state(WarehouseDeleted, warehouse))


async def _hand_over_default(session: AsyncSession) -> None:
    former = await queries.lock_default(session)
    if former is not None:
        former.is_default = False
        _touch(former)
        await session.flush()
        outbox.add(session, _state(WarehouseUpdated, former))


def _touch(warehouse: Warehouse) -> None:
    warehouse.version += 1
    warehouse.updated_at = datetime.now(UTC)


async def _flush(session: AsyncSession) -> None:
    try:
        await session.flush()
    except IntegrityError as error:
        if "warehouse_code_unique" in str(error.orig):
            raise WarehouseCodeTaken() from error
        raise


def _state(event: type[WarehouseState], warehouse: Warehouse) -> WarehouseState:
    return event(
        warehouse_id=warehouse.id,
        version=warehouse.version,
        code=warehouse.code,
        name=warehouse.name,
        address=warehouse.address,
        kind=warehouse.kind,
        negative_stock=warehouse.negative_stock,
        is_default=warehouse.is_default,
        deleted=warehouse.deleted,
    )
