"""What can be done with suppliers; each command says its event in the same transaction."""

from datetime import UTC, datetime

from fastapi import Request
from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.catalog.errors import InUse, UnknownSupplier
from stockbuddy.catalog.ownership import require_ownership
from stockbuddy.catalog.suppliers import queries
from stockbuddy.catalog.suppliers.model import Supplier
from stockbuddy.catalog.suppliers.schemas import NewSupplier, SupplierChange
from stockbuddy.catalog.versions import require_version
from stockbuddy.chassis.messaging import outbox
from stockbuddy.chassis.http.tokens import Principal
from stockbuddy.contracts.catalog import SupplierCreated, SupplierDeleted, SupplierUpdated


async def create_supplier(session: AsyncSession, caller: Principal, new: NewSupplier) -> Supplier:
    supplier = Supplier(**new.given(), owner_id=caller.user_id)
    session.add(supplier)
    await session.flush()
    outbox.add(session, supplier.state(SupplierCreated))
    return supplier


async def change_supplier(
    session: AsyncSession, caller: Principal, request: Request, supplier_id: int, change: SupplierChange
) -> Supplier:
    supplier = await _supplier_of(session, caller, request, supplier_id)
    if supplier.change(change.given(), datetime.now(UTC)):
        await session.flush()
        outbox.add(session, supplier.state(SupplierUpdated))
    return supplier


async def delete_supplier(session: AsyncSession, caller: Principal, request: Request, supplier_id: int) -> None:
    """Raises InUse while a living product comes from it."""
    supplier = await _supplier_of(session, caller, request, supplier_id)
    if await queries.in_use(session, supplier_id):
        raise InUse("Products come from this supplier.")
    now = datetime.now(UTC)
    supplier.change({"deleted_at": now}, now)
    await session.flush()
    outbox.add(session, supplier.state(SupplierDeleted))


async def _supplier_of(session: AsyncSession, caller: Principal, request: Request, supplier_id: int) -> Supplier:
    """A living supplier that the caller may change, locked; no product can name it meanwhile."""
    supplier = await queries.living_supplier(session, supplier_id, to_change=True)
    if supplier is None:
        raise UnknownSupplier()
    require_ownership(caller, supplier.owner_id)
    require_version(request, supplier.version)
    return supplier
