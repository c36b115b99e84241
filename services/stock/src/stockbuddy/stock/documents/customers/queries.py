"""Reads of customers."""

from collections.abc import Sequence

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.chassis.http.pagination import PageSlice, SortOrder, fetch_page, sort_orders
from stockbuddy.chassis.postgres.text_search import contains_text, text_sort_key
from stockbuddy.stock.documents.customers.model import Customer
from stockbuddy.stock.documents.customers.schemas import CustomerFilter

MAX_NAMESAKES = 20
_NAME_KEY = text_sort_key(Customer.name)
SORT_ORDERS = sort_orders(
    SortOrder("name_asc", (_NAME_KEY, Customer.id)),
    SortOrder("name_desc", (_NAME_KEY, Customer.id), descending=True),
    SortOrder("created_asc", (Customer.id,)),
    SortOrder("created_desc", (Customer.id,), descending=True),
)


async def find_customers(session: AsyncSession, reference: int | str) -> Sequence[Customer]:
    """The customer with this id, or up to MAX_NAMESAKES with this name; none that was erased."""
    is_named = Customer.id == reference if isinstance(reference, int) else _has_name(reference)
    is_usable = (is_named, Customer.erased_at.is_(None))
    return (await session.scalars(select(Customer).where(*is_usable).order_by(Customer.id).limit(MAX_NAMESAKES))).all()


def _has_name(name: str) -> ColumnElement[bool]:
    return func.lower(Customer.name) == func.lower(name)


async def list_customers(session: AsyncSession, filters: CustomerFilter) -> PageSlice[Customer]:
    query = select(Customer)
    if filters.search:
        columns = (Customer.name, Customer.email, Customer.phone)
        query = query.where(contains_text(filters.search, *columns))
    return await fetch_page(session, query, SORT_ORDERS[filters.sort_by], filters)
