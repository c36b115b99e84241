"""What can be done with categories; each command says its event in the same transaction."""

from datetime import UTC, datetime

from fastapi import Request
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.catalog.categories import queries
from stockbuddy.catalog.categories.model import Category
from stockbuddy.catalog.categories.schemas import CategoryChange, NewCategory
from stockbuddy.catalog.constraints import violated_constraint
from stockbuddy.catalog.errors import CategoryCycle, DuplicateCategory, InUse, UnknownCategory
from stockbuddy.catalog.ownership import require_ownership
from stockbuddy.catalog.versions import require_version
from stockbuddy.chassis.messaging import outbox
from stockbuddy.chassis.http.tokens import Principal
from stockbuddy.contracts.catalog import CategoryCreated, CategoryDeleted, CategoryUpdated


async def ensure_category(session: AsyncSession, caller_id: int, name: str) -> tuple[int, CategoryCreated | None]:
    """The id of the category of that name; made by the caller when it is new, with the event to say then."""
    while True:
        found = await queries.category_named(session, name)
        if found is not None:
            return found, None
        added = await queries.add_category_named(session, name, caller_id)
        if added is not None:
            return added, CategoryCreated(category_id=added, version=1, name=name, owner_id=caller_id)


async def find_or_create_category(session: AsyncSession, caller_id: int, name: str) -> int:
    category_id, created = await ensure_category(session, caller_id, name)
    if created is not None:
        outbox.add(session, created)
    return category_id


async def create_category(session: AsyncSession, caller: Principal, new: NewCategory) -> Category:
    await _require_parent(session, new.parent_id)
    category = Category(name=new.name, parent_id=new.parent_id, owner_id=caller.user_id)
    session.add(category)
    await _flush(session)
    outbox.add(session, category.state(CategoryCreated))
    return category


async def change_category(
    session: AsyncSession, caller: Principal, request: Request, category_id: int, change: CategoryChange
) -> Category:
    values = change.given()
    if "parent_id" in values:
        await queries.lock_tree(session)
    category = await _category_of(session, caller, request, category_id)
    await _require_parent(session, values.get("parent_id"))
    if values.get("parent_id") is not None and await queries.is_below(session, values["parent_id"], category_id):
        raise CategoryCycle()
    if category.change(values, datetime.now(UTC)):
        await _flush(session)
        outbox.add(session, category.state(CategoryUpdated))
    return category


async def delete_category(session: AsyncSession, caller: Principal, request: Request, category_id: int) -> None:
    """Raises InUse while a living product or category is in it."""
    await queries.lock_tree(session)
    category = await _category_of(session, caller, request, category_id)
    if await queries.in_use(session, category_id):
        raise InUse("Products or other categories are in this category.")
    now = datetime.now(UTC)
    category.change({"deleted_at": now}, now)
    await session.flush()
    outbox.add(session, category.state(CategoryDeleted))


async def _category_of(session: AsyncSession, caller: Principal, request: Request, category_id: int) -> Category:
    """A living category that the caller may change, locked; nothing can be put into it meanwhile."""
    category = await queries.living_category(session, category_id, to_change=True)
    if category is None:
        raise UnknownCategory()
    require_ownership(caller, category.owner_id)
    require_version(request, category.version)
    return category


async def _require_parent(session: AsyncSession, parent_id: int | None) -> None:
    if parent_id is not None:
        await queries.lock_tree(session)
        if await queries.living_category(session, parent_id) is None:
            raise UnknownCategory("There is no such parent category.")


async def _flush(session: AsyncSession) -> None:
    try:
        await session.flush()
    except IntegrityError as error:
        if violated_constraint(error) == "category_name_living":
            raise DuplicateCategory() from error
        raise
