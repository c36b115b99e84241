"""HTTP of categories."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response
from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.catalog.categories import commands, queries
from stockbuddy.catalog.categories.model import Category
from stockbuddy.catalog.categories.schemas import CategoryChange, NewCategory, ShownCategory, Sort
from stockbuddy.catalog.errors import UnknownCategory
from stockbuddy.catalog.versions import etag_of
from stockbuddy.catalog.wording import Id, Reference, Words
from stockbuddy.chassis.http.sessions import ReadSession, Session
from stockbuddy.chassis.http.etags import ConditionalRoute
from stockbuddy.chassis.http.authentication import Caller, authenticate
from stockbuddy.chassis.http.pagination import Page, PageParameters

router = APIRouter(
    prefix="/api/v1/categories", tags=["categories"], route_class=ConditionalRoute, dependencies=[Depends(authenticate)]
)


@router.get("")
async def list_categories(
    session: ReadSession,
    paging: PageParameters,
    search: Annotated[Words | None, Query()] = None,
    parent_id: Annotated[Reference | None, Query()] = None,
    sort_by: Sort = "name_asc",
) -> Page[ShownCategory]:
    found = await queries.list_categories(session, sort_by, search, parent_id, paging)
    counts = await queries.product_counts(session, [category.id for category in found.rows])
    return Page(
        items=[_shown(category, counts.get(category.id, 0)) for category in found.rows],
        page=paging.page,
        page_size=paging.page_size,
        total=found.total,
        next_cursor=found.next_cursor,
    )


@router.post("", status_code=201)
async def create_category(response: Response, session: Session, caller: Caller, new: NewCategory) -> ShownCategory:
    return await _answer(response, session, await commands.create_category(session, caller, new))


@router.get("/{category_id}")
async def get_category(response: Response, session: ReadSession, category_id: Id) -> ShownCategory:
    category = await queries.living_category(session, category_id)
    if category is None:
        raise UnknownCategory()
    return await _answer(response, session, category)


@router.put("/{category_id}")
async def put_category(
    request: Request, response: Response, session: Session, caller: Caller, category_id: Id, change: CategoryChange
) -> ShownCategory:
    """The same as PATCH: what is left out stays as it is."""
    category = await commands.change_category(session, caller, request, category_id, change)
    return await _answer(response, session, category)


@router.patch("/{category_id}")
async def patch_category(
    request: Request, response: Response, session: Session, caller: Caller, category_id: Id, change: CategoryChange
) -> ShownCategory:
    category = await commands.change_category(session, caller, request, category_id, change)
    return await _answer(response, session, category)


@router.delete("/{category_id}", status_code=204)
async def delete_category(request: Request, session: Session, caller: Caller, category_id: Id) -> None:
    """409 while products or other categories are in it."""
    await commands.delete_category(session, caller, request, category_id)


async def _answer(response: Response, session: AsyncSession, category: Category) -> ShownCategory:
    counts = await queries.product_counts(session, [category.id])
    shown = _shown(category, counts.get(category.id, 0))
    response.headers["ETag"] = etag_of(category.version, shown.model_dump_json().encode())
    return shown


def _shown(category: Category, product_count: int) -> ShownCategory:
    shown = ShownCategory.model_validate(category)
    shown.product_count = product_count
    return shown
