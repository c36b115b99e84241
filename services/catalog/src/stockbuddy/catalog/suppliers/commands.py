"""Changes of suppliers. Each adds its event in the same transaction."""

from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.catalog.errors import AmbiguousSupplier, InUse
from stockbuddy.catalog.ownership import require_ownership
from stockbuddy.catalog.suppliers import queries
from stockbuddy.catalog.suppliers.model import Supplier
from stockbuddy.catalog.suppliers.schemas import SupplierCreate, SupplierUpdate
from stockbuddy.catalog.versions import require_version
from stockbuddy.chassis.http.tokens import Principal
from stockbuddy.chassis.messaging import outbox
from stockbuddy.chassis.runtime import clock
from stockbuddy.contracts.catalog import SupplierCreated, SupplierDeleted, SupplierUpdated


async def create_supplier(session: AsyncSession, caller: Principal, body: SupplierCreate) -> Supplier:
    supplier = Supplier(**body.sent_fields(), owner_id=caller.user_id)
    session.add(supplier)
    await session.flush()
    outbox.add(session, supplier.to_event(SupplierCreated))
    return supplier


async def ensure_supplier(session: AsyncSession, caller_id: int, name: str) -> tuple[int, SupplierCreated | None]:
    """The id of the supplier with that name. If the call creates it, also the event, which the caller has to add.
    Raises AmbiguousSupplier."""
    ids = await queries.find_supplier_ids(session, [name])
    if not ids:
        await queries.lock_name(session, name)
        ids = await queries.find_supplier_ids(session, [name])
    if not ids:
        supplier = Supplier(name=name, owner_id=caller_id)
        session.add(supplier)
        await session.flush()
        return supplier.id, supplier.to_event(SupplierCreated)
    if len(ids[name]) > 1:
        listed = ", ".join(f"#{supplier_id}" for supplier_id in ids[name])
        raise AmbiguousSupplier(f"{name} is ambiguous; use one of the ids {listed}", supplier_ids=ids[name])
    return ids[name][0], None


async def find_or_create_supplier(session: AsyncSession, caller_id: int, name: str) -> int:
    """Raises AmbiguousSupplier."""
    supplier_id, created = await ensure_supplier(session, caller_id, name)
    if created is not None:
        outbox.add(session, created)
    return supplier_id


async def update_supplier(
    session: AsyncSession, caller: Principal, supplier_id: int, body: SupplierUpdate, if_match: str | None
) -> Supplier:
    """Raises PreconditionFailed if `if_match` names another version."""
    supplier = await _load_supplier_for_update(session, caller, supplier_id, if_match)
    if supplier.update_fields(body.sent_fields(), clock.now()):
        await session.flush()
        outbox.add(session, supplier.to_event(SupplierUpdated))
    return supplier


async def delete_supplier(session: AsyncSession, caller: Principal, supplier_id: int, if_match: str | None) -> None:
    """Raises InUse while a product that is not deleted refers to it."""
    supplier = await _load_supplier_for_update(session, caller, supplier_id, if_match)
    if await queries.is_in_use(session, supplier_id):
        raise InUse("Products refer to this supplier.")
    now = clock.now()
    supplier.update_fields({"deleted_at": now}, now)
    await session.flush()
    outbox.add(session, supplier.to_event(SupplierDeleted))


async def _load_supplier_for_update(
    session: AsyncSession, caller: Principal, supplier_id: int, if_match: str | None
) -> Supplier:
    """Lock an active supplier that the caller may change. The lock also keeps products from referring to it."""
    supplier = await queries.get_active_supplier(session, supplier_id, for_update=True)
    require_ownership(caller, supplier.owner_id)
    require_version(if_match, supplier.version)
    return supplier
