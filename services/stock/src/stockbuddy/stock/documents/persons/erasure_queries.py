"""Erases persons from sales, which remain with their amounts. Erasing twice changes nothing."""

from collections.abc import Sequence

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.contracts.personal_data import neutral_name

BATCH_SIZE = 5000

_ERASE_CUSTOMER = text("""
    UPDATE sale SET notes = NULL, version = version + 1 WHERE customer_id = :customer_id AND notes IS NOT NULL
""")
_ERASE_SELLER = text("""
    WITH batch AS (
        SELECT id FROM sale WHERE sold_by = :user_id AND id > :after ORDER BY id LIMIT :limit
    ), erased AS (
        UPDATE sale SET seller = :name, version = version + 1
        WHERE id IN (SELECT id FROM batch) AND seller IS DISTINCT FROM :name RETURNING 1)
    SELECT max(id), (SELECT count(*) FROM erased) FROM batch
""")


async def erase_customer_from_sales(session: AsyncSession, customer_id: int) -> None:
    """The notes of a sale to a customer are about that customer."""
    await session.execute(_ERASE_CUSTOMER, {"customer_id": customer_id})


async def erase_seller_from_sales(session: AsyncSession, user_id: int) -> None:
    """In batches, because a seller may have a million sales and a statement has a time limit."""
    after: int | None = 0
    while after is not None:
        values = {"user_id": user_id, "after": after, "limit": BATCH_SIZE, "name": neutral_name(user_id)}
        after = (await session.execute(_ERASE_SELLER, values)).one()[0]


async def erase_persons_from_sales(session: AsyncSession, persons: Sequence[str]) -> None:
    """For the events of erasures. Sales that were recorded while their customer was erased are erased now."""
    for person in persons:
        kind, _, identifier = person.partition("/")
        if kind == "customer":
            await erase_customer_from_sales(session, int(identifier))
        elif kind == "user":
            await erase_seller_from_sales(session, int(identifier))
