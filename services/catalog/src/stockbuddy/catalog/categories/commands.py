"""What can be done with categories."""

from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.catalog.categories import queries
from stockbuddy.chassis import outbox
from stockbuddy.chassis.identity import Principal
from stockbuddy.contracts.catalog import CategoryCreated


async def find_or_create_category(session: AsyncSession, caller: Principal, name: str) -> int:
    """The id of the category of that name, made by the caller when it is new."""
    while True:
        found = await queries.category_named(session, name)
        if found is not None:
            return found
        added = await queries.add_category_named(session, name, caller.user_id)
        if added is not None:
            outbox.add(session, CategoryCreated(category_id=added, version=1, name=name, owner_id=caller.user_id))
            return added
