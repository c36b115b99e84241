"""Creates, updates and deletes warehouses."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.chassis.messaging import outbox
from stockbuddy.chassis.postgres.database import Database, signal_on_commit
from stockbuddy.contracts.stock import WarehouseCreated, WarehouseDeleted, WarehouseState, WarehouseUpdated
from stockbuddy.stock.errors import DefaultWarehouseRequired, WarehouseCodeTaken, WarehouseInUse
from stockbuddy.stock.inventory.warehouses import queries
from stockbuddy.stock.inventory.warehouses.model import Warehouse

WAREHOUSES_CHANGED = "warehouses.changed"
"""The commit signal of transactions that change a warehouse."""
DEFAULT_CODE = "MAIN"

_LOCK_DEFAULT_CREATION = text("SELECT pg_advisory_xact_lock(hashtext(current_schema() || ' default warehouse'))")


async def ensure_default_warehouse(database: Database) -> None:
    """Create the default warehouse at the first start."""
    async with database.transaction() as session:
        # Several processes may start at once, and there is no row to lock yet.
        await session.execute(_LOCK_DEFAULT_CREATION)
        if await queries.lock_default_warehouse(session) is None:
            await create_warehouse(session, name="Main warehouse", code=DEFAULT_CODE, is_default=True)


async def create_warehouse(session: AsyncSession, **values: Any) -> Warehouse:
    """Raises WarehouseCodeTaken."""
    warehouse = Warehouse(**values)
    if warehouse.is_default:
        await _unset_default(session)
    session.add(warehouse)
    await _flush(session)
    await session.refresh(warehouse)
    _publish(session, WarehouseCreated, warehouse)
    return warehouse


async def update_warehouse(session: AsyncSession, warehouse: Warehouse, changes: dict[str, Any]) -> None:
    """Raises WarehouseCodeTaken, DefaultWarehouseRequired."""
    if warehouse.is_default and changes.get("is_default") is False:
        raise DefaultWarehouseRequired()
    if changes.get("is_default") and not warehouse.is_default:
        await _unset_default(session)
    for name, value in changes.items():
        setattr(warehouse, name, value)
    _increment_version(warehouse)
    await _flush(session)
    _publish(session, WarehouseUpdated, warehouse)


async def delete_warehouse(session: AsyncSession, warehouse: Warehouse) -> None:
    """Delete a warehouse whose row is locked. Raises DefaultWarehouseRequired, WarehouseInUse.

    The row lock prevents new levels; the locks on its levels wait for postings in progress. A posting that waits for
    these locks reads the warehouse after it has them, and finds it deleted.
    """
    if warehouse.is_default:
        raise DefaultWarehouseRequired()
    if await queries.lock_levels(session, warehouse.id):
        raise WarehouseInUse()
    warehouse.deleted = True
    _increment_version(warehouse)
    _publish(session, WarehouseDeleted, warehouse)


async def _unset_default(session: AsyncSession) -> None:
    former = await queries.lock_default_warehouse(session)
    if former is not None:
        former.is_default = False
        _increment_version(former)
        # Before the new default is written: a unique index allows only one.
        await session.flush()
        _publish(session, WarehouseUpdated, former)


def _increment_version(warehouse: Warehouse) -> None:
    warehouse.version += 1
    warehouse.updated_at = datetime.now(UTC)


async def _flush(session: AsyncSession) -> None:
    try:
        await session.flush()
    except IntegrityError as error:
        if "warehouse_code_unique" in str(error.orig):
            raise WarehouseCodeTaken() from error
        raise


def _publish(session: AsyncSession, event_type: type[WarehouseState], warehouse: Warehouse) -> None:
    fields = {name: getattr(warehouse, name) for name in event_type.model_fields if name != "warehouse_id"}
    outbox.add(session, event_type(warehouse_id=warehouse.id, **fields))
    signal_on_commit(session, WAREHOUSES_CHANGED)
