"""What is read of expenses."""

from dataclasses import dataclass
from datetime import date

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.chassis.http.pagination import PageQuery
from stockbuddy.stock.documents.expenses.model import Expense
from stockbuddy.stock.listing import Listed, Sort, fetch_listed

LATEST_FIRST = Sort("incurred_desc", (Expense.incurred_on, Expense.id), descending=True)
EARLIEST_FIRST = Sort("incurred_asc", (Expense.incurred_on, Expense.id))
LARGEST_FIRST = Sort("amount_desc", (Expense.amount, Expense.id), descending=True)
SMALLEST_FIRST = Sort("amount_asc", (Expense.amount, Expense.id))
SORTS = {sort.name: sort for sort in (LATEST_FIRST, EARLIEST_FIRST, LARGEST_FIRST, SMALLEST_FIRST)}


@dataclass(frozen=True, slots=True)
class ExpenseFilter:
    """Every field narrows the list; `since` and `until` are half-open."""

    category: str | None = None
    warehouse_id: int | None = None
    search: str | None = None
    since: date | None = None
    until: date | None = None

    def conditions(self) -> list[ColumnElement[bool]]:
        conditions: list[ColumnElement[bool]] = []
        if self.category is not None:
            conditions.append(func.lower(Expense.category) == func.lower(self.category))
        if self.warehouse_id is not None:
            conditions.append(Expense.warehouse_id == self.warehouse_id)
        if self.search:
            in_category = Expense.category.icontains(self.search, autoescape=True)
            conditions.append(or_(in_category, Expense.notes.icontains(self.search, autoescape=True)))
        if self.since is not None:
            conditions.append(Expense.incurred_on >= self.since)
        if self.until is not None:
            conditions.append(Expense.incurred_on < self.until)
        return conditions


async def list_expenses(session: AsyncSession, chosen: ExpenseFilter, sort: Sort, paging: PageQuery) -> Listed:
    return await fetch_listed(session, select(Expense).where(*chosen.conditions()), sort, paging)


async def find_expense(session: AsyncSession, expense_id: int, *, for_update: bool = False) -> Expense | None:
    return await session.get(Expense, expense_id, with_for_update=for_update or None)
