"""HTTP of categories."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Response
from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.catalog.categories import commands, queries
from stockbuddy.catalog.categories.model import Category
from stockbuddy.catalog.categories.schemas import CategoryCreate, CategoryFilter, CategoryResponse, CategoryUpdate
from stockbuddy.catalog.errors import CategoryCycle, DuplicateCategory, InUse, NotOwner, UnknownCategory
from stockbuddy.catalog.versions import content_etag
from stockbuddy.chassis.access.permissions import Permission
from stockbuddy.chassis.fields import Id
from stockbuddy.chassis.http.authentication import Caller, authenticate, requires
from stockbuddy.chassis.http.errors import raises
from stockbuddy.chassis.http.etags import ConditionalRoute, IfMatch
from stockbuddy.chassis.http.pagination import Page
from stockbuddy.chassis.http.sessions import ReadSession, Session

router = APIRouter(
    prefix="/api/v1/categories", tags=["categories"], route_class=ConditionalRoute, dependencies=[Depends(authenticate)]
)


@router.get("", dependencies=[requires(Permission.CATALOG_READ)])
async def list_categories(session: ReadSession, query: Annotated[CategoryFilter, Query()]) -> Page[CategoryResponse]:
    """List categories.

    Ordered by name unless `sort_by` says otherwise. Categories nest: `parent_id` selects the children of one.
    """
    page = await queries.list_categories(session, query)
    counts = await queries.count_products(session, [category.id for category in page.rows])
    return page.to_page(query, lambda category: _to_response(category, counts))


@router.post("", status_code=201, dependencies=[requires(Permission.CATALOG_WRITE)])
@raises(UnknownCategory, DuplicateCategory)
async def create_category(
    response: Response, session: Session, caller: Caller, body: CategoryCreate
) -> CategoryResponse:
    """Create a category.

    Names are unique without regard to case. With `parent_id` it lies below another category.
    """
    return await _respond(response, session, await commands.create_category(session, caller, body))


@router.get("/{category_id}", dependencies=[requires(Permission.CATALOG_READ)])
@raises(UnknownCategory)
async def get_category(response: Response, session: ReadSession, category_id: Id) -> CategoryResponse:
    """Read a category.

    `ETag` changes with the category and with the number of its products.
    """
    return await _respond(response, session, await queries.get_active_category(session, category_id))


@router.put("/{category_id}", name="update_category_put", dependencies=[requires(Permission.CATALOG_WRITE)])
@router.patch("/{category_id}", dependencies=[requires(Permission.CATALOG_WRITE)])
@raises(NotOwner, UnknownCategory, CategoryCycle, DuplicateCategory)
async def update_category(
    response: Response,
    session: Session,
    caller: Caller,
    category_id: Id,
    body: CategoryUpdate,
    if_match: IfMatch = None,
) -> CategoryResponse:
    """Change a category.

    PUT and PATCH do the same: absent fields keep their values. Moving a category below itself gets 409
    `category_cycle`.
    """
    category = await commands.update_category(session, caller, category_id, body, if_match)
    return await _respond(response, session, category)


@router.delete("/{category_id}", status_code=204, dependencies=[requires(Permission.CATALOG_DELETE)])
@raises(NotOwner, UnknownCategory, InUse)
async def delete_category(session: Session, caller: Caller, category_id: Id, if_match: IfMatch = None) -> None:
    """Delete an empty category.

    A category with products or other categories gets 409 `in_use`.
    """
    await commands.delete_category(session, caller, category_id, if_match)


async def _respond(response: Response, session: AsyncSession, category: Category) -> CategoryResponse:
    body = _to_response(category, await queries.count_products(session, [category.id]))
    response.headers["ETag"] = content_etag(category.version, body.model_dump_json().encode())
    return body


def _to_response(category: Category, product_counts: dict[int, int]) -> CategoryResponse:
    response = CategoryResponse.model_validate(category)
    response.product_count = product_counts.get(category.id, 0)
    return response
