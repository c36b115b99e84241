"""Reads of suppliers."""

from sqlalchemy import or_, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.catalog.errors import UnknownSupplier
from stockbuddy.catalog.suppliers.model import Supplier
from stockbuddy.catalog.suppliers.schemas import SupplierFilter
from stockbuddy.chassis.http.pagination import PageSlice, fetch_page

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
        statement = statement.where(or_(*(c.icontains(query.search, autoescape=True) for c in columns)))
    if query.owner_id is not None:
        statement = statement.where(Supplier.owner_id == query.owner_id)
    return await fetch_page(session, statement, Supplier.sort_order(query.sort_by), query)


async def is_in_use(session: AsyncSession, supplier_id: int) -> bool:
    return bool(await session.scalar(_IS_IN_USE, {"id": supplier_id}))
