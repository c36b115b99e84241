"""What is read of customers."""

from sqlalchemy import func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.chassis.http.pagination import PageQuery
from stockbuddy.stock.documents.customers.model import Customer
from stockbuddy.stock.listing import Listed, Sort, fetch_listed

BY_NAME = Sort("name_asc", (Customer.name, Customer.id))
BY_NAME_BACKWARDS = Sort("name_desc", (Customer.name, Customer.id), descending=True)
OLDEST_FIRST = Sort("created_asc", (Customer.id,))
NEWEST_FIRST = Sort("created_desc", (Customer.id,), descending=True)
SORTS = {sort.name: sort for sort in (BY_NAME, BY_NAME_BACKWARDS, OLDEST_FIRST, NEWEST_FIRST)}


async def find_customer(session: AsyncSession, reference: int | str) -> Customer | None:
    """By id or by name; of several with the same name, the first."""
    if isinstance(reference, int):
        return await session.get(Customer, reference)
    query = select(Customer).where(func.lower(Customer.name) == func.lower(reference)).order_by(Customer.id).limit(1)
    return await session.scalar(query)


async def lock_customer(session: AsyncSession, customer_id: int) -> Customer | None:
    return await session.scalar(select(Customer).where(Customer.id == customer_id).with_for_update())


async def list_customers(session: AsyncSession, search: str | None, sort: Sort, paging: PageQuery) -> Listed:
    query = select(Customer)
    if search:
        columns = (Customer.name, Customer.email, Customer.phone)
        query = query.where(or_(*(column.icontains(search, autoescape=True) for column in columns)))
    return await fetch_listed(session, query, sort, paging)
