"""Routes of expenses."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Response
from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.chassis.access.permissions import Permission
from stockbuddy.chassis.fields import Id
from stockbuddy.chassis.http.authentication import Caller, requires
from stockbuddy.chassis.http.errors import raises
from stockbuddy.chassis.http.etags import IfMatch, require_match, version_etag
from stockbuddy.chassis.http.lightweight_route import LightweightRoute
from stockbuddy.chassis.http.pagination import Page
from stockbuddy.chassis.http.sessions import ReadSession, Session, get_or_404
from stockbuddy.stock.documents.expenses import commands, queries
from stockbuddy.stock.documents.expenses.model import Expense
from stockbuddy.stock.documents.expenses.schemas import ExpenseCreate, ExpenseFilter, ExpenseResponse, ExpenseUpdate
from stockbuddy.stock.errors import UnknownWarehouse, WarehouseForbidden
from stockbuddy.stock.http.dependencies import PostingContextDep
from stockbuddy.stock.http.responses import json_response
from stockbuddy.stock.inventory.posting_context import PostingContext

router = APIRouter(prefix="/api/v1/expenses", tags=["expenses"], route_class=LightweightRoute)

ExpenseId = Annotated[Id, Path()]


@router.post("", response_model=ExpenseResponse, status_code=201, dependencies=[requires(Permission.EXPENSE_WRITE)])
@raises(UnknownWarehouse, WarehouseForbidden)
async def create_expense(context: PostingContextDep, session: Session, caller: Caller, body: ExpenseCreate) -> Response:
    """Record an expense.

    Costs outside stock, such as rent or wages; the profit report deducts them. Without a warehouse the expense
    concerns the whole company.
    """
    reference = body.warehouse_reference
    warehouse_id = None if reference is None else (await context.warehouse(reference, session=session)).id
    values = body.model_dump(exclude={"warehouse_id", "warehouse_code"})
    expense = await commands.create_expense(session, **values, warehouse_id=warehouse_id, created_by=caller.user_id)
    return _to_response(expense, status=201)


@router.get("", response_model=Page[ExpenseResponse], dependencies=[requires(Permission.EXPENSE_READ)])
async def list_expenses(session: ReadSession, filters: Annotated[ExpenseFilter, Query()]) -> Response:
    """List expenses.

    Newest day first unless `sort_by` says otherwise.
    """
    found = await queries.list_expenses(session, filters)
    return json_response(found.to_page(filters, ExpenseResponse.model_validate))


@router.get("/{expense_id}", response_model=ExpenseResponse, dependencies=[requires(Permission.EXPENSE_READ)])
async def get_expense(session: ReadSession, expense_id: ExpenseId) -> Response:
    """Read an expense.

    `ETag` is the version, for a later change.
    """
    return _to_response(await get_or_404(session, Expense, expense_id))


@router.put(
    "/{expense_id}",
    response_model=ExpenseResponse,
    name="update_expense_put",
    dependencies=[requires(Permission.EXPENSE_WRITE)],
)
@router.patch("/{expense_id}", response_model=ExpenseResponse, dependencies=[requires(Permission.EXPENSE_WRITE)])
@raises(UnknownWarehouse, WarehouseForbidden)
async def update_expense(
    context: PostingContextDep,
    session: Session,
    expense_id: ExpenseId,
    body: ExpenseUpdate,
    if_match: IfMatch = None,
) -> Response:
    """Change an expense.

    PUT and PATCH do the same: absent fields keep their values; a `warehouse_id` of null assigns the expense to the
    whole company.
    """
    changes = await _changes(context, body)
    expense = await _load_for_update(context, session, expense_id, if_match)
    await commands.update_expense(session, expense, changes)
    return _to_response(expense)


@router.delete("/{expense_id}", status_code=204, dependencies=[requires(Permission.EXPENSE_WRITE)])
@raises(WarehouseForbidden)
async def delete_expense(
    context: PostingContextDep, session: Session, expense_id: ExpenseId, if_match: IfMatch = None
) -> None:
    """Delete an expense.

    The profit report no longer contains it; the audit log keeps it.
    """
    await commands.delete_expense(session, await _load_for_update(context, session, expense_id, if_match))


async def _load_for_update(
    context: PostingContext, session: AsyncSession, expense_id: int, if_match: str | None
) -> Expense:
    """Raises NotFound, WarehouseForbidden, PreconditionFailed."""
    expense = await get_or_404(session, Expense, expense_id, for_update=True)
    if expense.warehouse_id is not None and not context.caller.may_write_stock_at(expense.warehouse_id):
        raise WarehouseForbidden()
    require_match(if_match, version_etag(expense.version))
    return expense


async def _changes(context: PostingContext, body: ExpenseUpdate) -> dict[str, Any]:
    changes = body.sent_fields()
    changes.pop("warehouse_code", None)
    if (reference := body.warehouse_reference) is not None:
        changes["warehouse_id"] = (await context.warehouse(reference)).id
    return changes


def _to_response(expense: Expense, *, status: int = 200) -> Response:
    body = ExpenseResponse.model_validate(expense)
    return json_response(body, status=status, etag=version_etag(expense.version))
