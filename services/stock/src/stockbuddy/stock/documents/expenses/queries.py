"""Reads of expenses."""

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.chassis.http.errors import NotFound
from stockbuddy.chassis.http.pagination import PageSlice, SortOrder, fetch_page
from stockbuddy.stock.documents.expenses.model import Expense
from stockbuddy.stock.documents.expenses.schemas import ExpenseFilter

SORT_ORDERS = {
    order.name: order
    for order in (
        SortOrder("incurred_desc", (Expense.incurred_on, Expense.id), descending=True),
        SortOrder("incurred_asc", (Expense.incurred_on, Expense.id)),
        SortOrder("amount_desc", (Expense.amount, Expense.id), descending=True),
        SortOrder("amount_asc", (Expense.amount, Expense.id)),
    )
}


def _conditions(filters: ExpenseFilter) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if filters.category is not None:
        conditions.append(func.lower(Expense.category) == func.lower(filters.category))
    if filters.warehouse_id is not None:
        conditions.append(Expense.warehouse_id == filters.warehouse_id)
    if filters.search:
        columns = (Expense.category, Expense.notes)
        conditions.append(or_(*(column.icontains(filters.search, autoescape=True) for column in columns)))
    if filters.since is not None:
        conditions.append(Expense.incurred_on >= filters.since)
    if filters.until is not None:
        conditions.append(Expense.incurred_on < filters.until)
    return conditions


async def list_expenses(session: AsyncSession, filters: ExpenseFilter) -> PageSlice[Expense]:
    query = select(Expense).where(*_conditions(filters))
    return await fetch_page(session, query, SORT_ORDERS[filters.sort_by], filters)


async def get_expense(session: AsyncSession, expense_id: int, *, for_update: bool = False) -> Expense:
    """Raises NotFound. `for_update`: lock the row, so that the version does not change before the commit."""
    expense = await session.get(Expense, expense_id, with_for_update=for_update or None)
    if expense is None:
        raise NotFound()
    return expense
