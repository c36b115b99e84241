"""Reads of suppliers."""

from collections.abc import Sequence

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.catalog.errors import UnknownSupplier
from stockbuddy.catalog.suppliers.model import Supplier
from stockbuddy.catalog.suppliers.schemas import SupplierFilter
from stockbuddy.chassis.http.pagination import PageSlice, fetch_page
from stockbuddy.chassis.postgres.text_search import contains_text

# FOR KEY SHARE: the row can't be deleted until this transaction ends, but other transactions may use it, too.
_BY_NAMES = text("""
    SELECT g.name, s.id FROM unnest(CAST(:names AS text[])) g(name)
    JOIN supplier s ON s.deleted_at IS NULL AND (lower(s.name) COLLATE "C" = lower(g.name) COLLATE "C"
        OR g.name = '#' || s.id)
    ORDER BY s.id FOR KEY SHARE OF s
""")
# Names of suppliers are not unique, so a unique index can't keep two transactions from creating one each.
_LOCK_NAME = text("SELECT pg_advisory_xact_lock(hashtext(current_schema() || ' supplier ' || lower(:name)))")
_IS_IN_USE = text("SELECT EXISTS (SELECT FROM product WHERE supplier_id = :id AND deleted_at IS NULL)")


async def get_active_supplier(session: AsyncSession, supplier_id: int, *, for_update: bool = False) -> Supplier:
    """Raises UnknownSupplier."""
    statement = select(Supplier).where(Supplier.id == supplier_id, Supplier.deleted_at.is_(None))
    supplier = await session.scalar(statement.with_for_update() if for_update else statement)
    if supplier is None:
        raise UnknownSupplier()
    return supplier


async def list_suppliers(session: AsyncSession, query: SupplierFilter) -> PageSlice[Supplier]:
    statement = select(Supplier).where(Supplier.deleted_at.is_(None))
    if query.search is not None:
        columns = (Supplier.name, Supplier.contact_email, Supplier.phone_number)
        statement = statement.where(contains_text(query.search, *columns))
    if query.owner_id is not None:
        statement = statement.where(Supplier.owner_id == query.owner_id)
    return await fetch_page(session, statement, Supplier.sort_order(query.sort_by), query)


async def find_supplier_ids(session: AsyncSession, names: Sequence[str]) -> dict[str, list[int]]:
    """The ids of the active suppliers with each name, or with the id in `#12`, locked against deletion."""
    ids: dict[str, list[int]] = {}
    for row in await session.execute(_BY_NAMES, {"names": sorted(names)}):
        ids.setdefault(row.name, []).append(row.id)
    return ids


async def lock_name(session: AsyncSession, name: str) -> None:
    """Serialise transactions that create a supplier with this name because there is none."""
    await session.execute(_LOCK_NAME, {"name": name})


async def is_in_use(session: AsyncSession, supplier_id: int) -> bool:
    return bool(await session.scalar(_IS_IN_USE, {"id": supplier_id}))
