"""Reads of customers."""

from sqlalchemy import func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.chassis.http.pagination import PageSlice, SortOrder, fetch_page, sort_orders
from stockbuddy.stock.documents.customers.model import Customer
from stockbuddy.stock.documents.customers.schemas import CustomerFilter

SORT_ORDERS = sort_orders(
    SortOrder("name_asc", (Customer.name, Customer.id)),
    SortOrder("name_desc", (Customer.name, Customer.id), descending=True),
    SortOrder("created_asc", (Customer.id,)),
    SortOrder("created_desc", (Customer.id,), descending=True),
)


async def find_customer(session: AsyncSession, reference: int | str) -> Customer | None:
    """By id or by name; of several with the same name, the first."""
    if isinstance(reference, int):
        return await session.get(Customer, reference)
    query = select(Customer).where(func.lower(Customer.name) == func.lower(reference)).order_by(Customer.id).limit(1)
    return await session.scalar(query)


async def list_customers(session: AsyncSession, filters: CustomerFilter) -> PageSlice[Customer]:
    query = select(Customer)
    if filters.search:
        columns = (Customer.name, Customer.email, Customer.phone)
        query = query.where(or_(*(column.icontains(filters.search, autoescape=True) for column in columns)))
    return await fetch_page(session, query, SORT_ORDERS[filters.sort_by], filters)
