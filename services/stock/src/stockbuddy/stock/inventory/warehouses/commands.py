"""Creates, updates and deletes warehouses."""

from typing import Any

from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.chassis.http.tokens import Principal
from stockbuddy.chassis.messaging import outbox
from stockbuddy.chassis.postgres.database import Database, signal_on_commit
from stockbuddy.contracts.stock import WarehouseCreated, WarehouseDeleted, WarehouseState, WarehouseUpdated
from stockbuddy.stock.errors import DefaultWarehouseRequired, WarehouseCodeTaken, WarehouseForbidden, WarehouseInUse
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
            await create_warehouse(session, None, name="Main warehouse", code=DEFAULT_CODE, is_default=True)


def require_access(caller: Principal | None, warehouse_id: int | None) -> None:
    """Raises WarehouseForbidden if the caller is restricted to other warehouses. `caller` None: the service itself;
    `warehouse_id` None: a new warehouse, which is none of a restricted caller's."""
    if caller is None or caller.warehouse_ids is None:
        return
    if warehouse_id is None or not caller.may_write_stock_at(warehouse_id):
        raise WarehouseForbidden()


async def create_warehouse(session: AsyncSession, caller: Principal | None, **values: Any) -> Warehouse:
    """Raises WarehouseForbidden, WarehouseCodeTaken."""
    require_access(caller, None)
    warehouse = Warehouse(**values)
    if warehouse.is_default:
        await _unset_default(session, caller)
    session.add(warehouse)
    await _flush(session)
    await session.refresh(warehouse)
    _publish(session, WarehouseCreated, warehouse)
    return warehouse


async def update_warehouse(
    session: AsyncSession, caller: Principal, warehouse: Warehouse, changes: dict[str, Any]
) -> None:
    """A new default warehouse is also a change of the former one. Raises WarehouseForbidden, WarehouseCodeTaken,
    DefaultWarehouseRequired."""
    if warehouse.is_default and changes.get("is_default") is False:
        raise DefaultWarehouseRequired()
    if changes.get("is_default") and not warehouse.is_default:
        await _unset_default(session, caller)
    warehouse.update_fields(changes)
    await _flush(session)
    _publish(session, WarehouseUpdated, warehouse)


async def delete_warehouse(session: AsyncSession, warehouse: Warehouse) -> None:
    """Delete a warehouse whose row is locked. Raises DefaultWarehouseRequired, WarehouseInUse.

    The row lock prevents new levels; the locks on its levels wait for postings in progress. A posting that waits for
    these locks reads the warehouse after it has them, and finds it deleted.
    """
    if warehouse.is_default:
        raise DefaultWarehouseRequired()
    has_stock = await queries.lock_levels(session, warehouse.id)
    documents = await queries.fetch_open_documents(session, warehouse.id)
    if has_stock or documents:
        raise WarehouseInUse(documents)
    warehouse.update_fields({"deleted": True})
    _publish(session, WarehouseDeleted, warehouse)


async def _unset_default(session: AsyncSession, caller: Principal | None) -> None:
    former = await queries.lock_default_warehouse(session)
    if former is not None:
        require_access(caller, former.id)
        former.update_fields({"is_default": False})
        # Before the new default is written: a unique index allows only one.
        await session.flush()
        _publish(session, WarehouseUpdated, former)


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
