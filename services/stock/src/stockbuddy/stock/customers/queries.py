"""What is read of customers."""

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.stock.customers.model import Customer


async def find_customer(session: AsyncSession, reference: int | str) -> Customer | None:
    """By id or by name; of several with the same name, the first."""
    if isinstance(reference, int):
        return await session.get(Customer, reference)
    query = select(Customer).where(func.lower(Customer.name) == func.lower(reference)).order_by(Customer.id).limit(1)
    return await session.scalar(query)
