"""Expenses over HTTP."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query, Response
from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.chassis.fields import Id
from stockbuddy.chassis.http.authentication import Manager
from stockbuddy.chassis.http.errors import NotFound
from stockbuddy.chassis.http.etags import ConditionalRoute, IfMatch, require_match, version_etag
from stockbuddy.chassis.http.pagination import Page, PageParameters
from stockbuddy.chassis.http.sessions import ReadSession, Session
from stockbuddy.stock.documents.expenses import commands, queries
from stockbuddy.stock.documents.expenses.model import Expense
from stockbuddy.stock.documents.expenses.schemas import Day, ExpenseUpdate, ExpenseResponse, ExpenseCreate
from stockbuddy.stock.errors import WarehouseForbidden
from stockbuddy.stock.fields import Name, Search
from stockbuddy.stock.http.dependencies import PostingContextDep
from stockbuddy.stock.http.responses import json_response
from stockbuddy.stock.inventory.posting_context import PostingContext

router = APIRouter(prefix="/api/v1/expenses", tags=["expenses"], route_class=ConditionalRoute)

ExpenseId = Annotated[Id, Path()]
SortBy = Literal["incurred_desc", "incurred_asc", "amount_desc", "amount_asc"]
_EMPTIED_BY_NULL = ("notes", "warehouse_id")


@router.post("", response_model=ExpenseResponse, status_code=201)
async def record_expense(context: PostingContextDep, session: Session, caller: Manager, body: ExpenseCreate) -> Response:
    reference = body.warehouse_reference
    warehouse_id = None if reference is None else (await context.warehouse(reference)).id
    values = body.model_dump(exclude={"warehouse_id", "warehouse_code"})
    expense = await commands.record_expense(session, **values, warehouse_id=warehouse_id, created_by=caller.user_id)
    return _shown(expense, status=201)


@router.get("", response_model=Page[ExpenseResponse])
async def list_expenses(
    session: ReadSession,
    _: Manager,
    paging: PageParameters,
    category: Annotated[Name | None, Query()] = None,
    warehouse_id: Annotated[Id | None, Query()] = None,
    search: Annotated[Search | None, Query()] = None,
    since: Annotated[Day | None, Query(alias="from")] = None,
    until: Annotated[Day | None, Query(alias="to")] = None,
    sort_by: Annotated[SortBy, Query()] = "incurred_desc",
) -> Response:
    chosen = queries.ExpenseFilter(category, warehouse_id, search, since, until)
    listed = await queries.list_expenses(session, chosen, queries.SORTS[sort_by], paging)
    return json_response(listed.page(paging, ExpenseResponse.model_validate))


@router.get("/{expense_id}", response_model=ExpenseResponse)
async def show_expense(session: ReadSession, _: Manager, expense_id: ExpenseId) -> Response:
    return _shown(_found(await queries.find_expense(session, expense_id)))


@router.put("/{expense_id}", response_model=ExpenseResponse)
@router.patch("/{expense_id}", response_model=ExpenseResponse, name="patch_expense")
async def correct_expense(
    if_match: IfMatch,
    context: PostingContextDep,
    session: Session,
    _: Manager,
    expense_id: ExpenseId,
    body: ExpenseUpdate,
) -> Response:
    changes = await _changes(context, body)
    expense = await _at_hand(if_match, context, session, expense_id)
    await commands.correct_expense(session, expense, changes)
    return _shown(expense)


@router.delete("/{expense_id}", status_code=204)
async def delete_expense(
    if_match: IfMatch, context: PostingContextDep, session: Session, _: Manager, expense_id: ExpenseId
) -> None:
    await commands.delete_expense(session, await _at_hand(if_match, context, session, expense_id))


async def _at_hand(if_match: str | None, context: PostingContext, session: AsyncSession, expense_id: int) -> Expense:
    """The expense, locked, if the caller may change it and knows its present state."""
    expense = _found(await queries.find_expense(session, expense_id, for_update=True))
    if expense.warehouse_id is not None and not context.caller.may_write_stock_at(expense.warehouse_id):
        raise WarehouseForbidden()
    require_match(if_match, version_etag(expense.version))
    return expense


async def _changes(context: PostingContext, body: ExpenseUpdate) -> dict[str, Any]:
    """What was sent; null empties what may be empty and leaves the rest."""
    sent = body.model_dump(exclude_unset=True, exclude={"warehouse_code"})
    if (reference := body.warehouse_reference) is not None:
        sent["warehouse_id"] = (await context.warehouse(reference)).id
    return {name: value for name, value in sent.items() if value is not None or name in _EMPTIED_BY_NULL}


def _found(expense: Expense | None) -> Expense:
    if expense is None:
        raise NotFound()
    return expense


def _shown(expense: Expense, *, status: int = 200) -> Response:
    view = ExpenseResponse.model_validate(expense)
    return json_response(view, status=status, etag=version_etag(expense.version))
