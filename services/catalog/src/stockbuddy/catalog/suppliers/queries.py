"""Reads of suppliers."""

from sqlalchemy import ColumnElement, or_, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.catalog.ordering import Listed, list_by
from stockbuddy.catalog.suppliers.model import Supplier
from stockbuddy.chassis.http.pagination import PageQuery

_IN_USE = text("SELECT EXISTS (SELECT FROM product WHERE supplier_id = :id AND deleted_at IS NULL)")


async def living_supplier(session: AsyncSession, supplier_id: int, *, to_change: bool = False) -> Supplier | None:
    statement = select(Supplier).where(Supplier.id == supplier_id, Supplier.deleted_at.is_(None))
    return await session.scalar(statement.with_for_update() if to_change else statement)


async def list_suppliers(
    session: AsyncSession, sort: str, search: str | None, owner_id: int | None, paging: PageQuery
) -> Listed[Supplier]:
    """`search` is a part of the name, the e-mail address or the phone number."""
    conditions: list[ColumnElement[bool]] = [Supplier.deleted_at.is_(None)]
    if search is not None:
        columns = (Supplier.name, Supplier.contact_email, Supplier.phone_number)
        conditions.append(or_(*(c.icontains(search, autoescape=True) for c in columns)))
    if owner_id is not None:
        conditions.append(Supplier.owner_id == owner_id)
    return await list_by(session, Supplier, conditions, sort, paging)


async def in_use(session: AsyncSession, supplier_id: int) -> bool:
    return bool(await session.scalar(_IN_USE, {"id": supplier_id}))
