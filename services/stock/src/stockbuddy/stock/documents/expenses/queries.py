"""Reads of expenses."""

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.chassis.http.pagination import PageSlice, SortOrder, fetch_page, sort_orders
from stockbuddy.chassis.postgres.text_search import contains_text
from stockbuddy.stock.documents.expenses.model import Expense
from stockbuddy.stock.documents.expenses.schemas import ExpenseFilter
from stockbuddy.stock.periods import day_conditions

SORT_ORDERS = sort_orders(
    SortOrder("incurred_desc", (Expense.incurred_on, Expense.id), descending=True),
    SortOrder("incurred_asc", (Expense.incurred_on, Expense.id)),
    SortOrder("amount_desc", (Expense.amount, Expense.id), descending=True),
    SortOrder("amount_asc", (Expense.amount, Expense.id)),
)


def _conditions(filters: ExpenseFilter) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if filters.category is not None:
        conditions.append(func.lower(Expense.category) == func.lower(filters.category))
    if filters.warehouse_id is not None:
        conditions.append(Expense.warehouse_id == filters.warehouse_id)
    if filters.search:
        conditions.append(contains_text(filters.search, Expense.category, Expense.notes))
    return conditions


async def list_expenses(session: AsyncSession, filters: ExpenseFilter) -> PageSlice[Expense]:
    query = select(Expense).where(*_conditions(filters), *await day_conditions(session, Expense.incurred_on, filters))
    return await fetch_page(session, query, SORT_ORDERS[filters.sort_by], filters)
