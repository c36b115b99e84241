"""Changes of categories. Each adds its event in the same transaction."""

from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.catalog.categories import queries
from stockbuddy.catalog.categories.model import Category
from stockbuddy.catalog.categories.schemas import CategoryCreate, CategoryUpdate
from stockbuddy.catalog.constraints import violated_constraint
from stockbuddy.catalog.errors import CategoryCycle, DuplicateCategory, InUse, UnknownCategory
from stockbuddy.catalog.ownership import require_ownership
from stockbuddy.catalog.versions import require_version
from stockbuddy.chassis.http.tokens import Principal
from stockbuddy.chassis.messaging import outbox
from stockbuddy.chassis.runtime import clock
from stockbuddy.contracts.catalog import CategoryCreated, CategoryDeleted, CategoryUpdated


async def ensure_category(session: AsyncSession, caller_id: int, name: str) -> tuple[int, CategoryCreated | None]:
    """The id of the category with that name. If the call creates it, also the event, which the caller has to add."""
    # Repeated, because the category may be deleted or created between the two statements.
    while True:
        category_id = await queries.find_category_id(session, name)
        if category_id is not None:
            return category_id, None
        category_id = await queries.insert_category_if_absent(session, name, caller_id)
        if category_id is not None:
            return category_id, CategoryCreated(category_id=category_id, version=1, name=name, owner_id=caller_id)


async def find_or_create_category(session: AsyncSession, caller_id: int, name: str) -> int:
    category_id, created = await ensure_category(session, caller_id, name)
    if created is not None:
        outbox.add(session, created)
    return category_id


async def create_category(session: AsyncSession, caller: Principal, body: CategoryCreate) -> Category:
    await _require_parent(session, body.parent_id)
    category = Category(name=body.name, parent_id=body.parent_id, owner_id=caller.user_id)
    session.add(category)
    await _flush(session)
    outbox.add(session, category.to_event(CategoryCreated))
    return category


async def update_category(
    session: AsyncSession, caller: Principal, category_id: int, body: CategoryUpdate, if_match: str | None
) -> Category:
    """Raises CategoryCycle, DuplicateCategory, or PreconditionFailed if `if_match` names another version."""
    values = body.sent_fields()
    parent_id = values.get("parent_id")
    if "parent_id" in values:
        await queries.lock_tree(session)
    category = await _load_category_for_update(session, caller, category_id, if_match)
    await _require_parent(session, parent_id)
    if parent_id is not None and await queries.is_below(session, parent_id, category_id):
        raise CategoryCycle()
    if category.update_fields(values, clock.now()):
        await _flush(session)
        outbox.add(session, category.to_event(CategoryUpdated))
    return category


async def delete_category(session: AsyncSession, caller: Principal, category_id: int, if_match: str | None) -> None:
    """Raises InUse while a product or category that is not deleted is in it."""
    await queries.lock_tree(session)
    category = await _load_category_for_update(session, caller, category_id, if_match)
    if await queries.is_in_use(session, category_id):
        raise InUse("The category contains products or other categories.")
    now = clock.now()
    category.update_fields({"deleted_at": now}, now)
    await session.flush()
    outbox.add(session, category.to_event(CategoryDeleted))


async def _load_category_for_update(
    session: AsyncSession, caller: Principal, category_id: int, if_match: str | None
) -> Category:
    """Lock an active category that the caller may change. The lock also keeps products from being added to it."""
    category = await queries.get_active_category(session, category_id, for_update=True)
    require_ownership(caller, category.owner_id)
    require_version(if_match, category.version)
    return category


async def _require_parent(session: AsyncSession, parent_id: int | None) -> None:
    if parent_id is not None:
        await queries.lock_tree(session)
        try:
            await queries.get_active_category(session, parent_id)
        except UnknownCategory:
            raise UnknownCategory("There is no such parent category.") from None


async def _flush(session: AsyncSession) -> None:
    """Raises DuplicateCategory."""
    try:
        await session.flush()
    except IntegrityError as error:
        if violated_constraint(error) == "category_name_unique":
            raise DuplicateCategory() from error
        raise
