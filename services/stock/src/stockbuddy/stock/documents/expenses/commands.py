"""Creates, updates and deletes expenses."""

from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.chassis.messaging import outbox
from stockbuddy.contracts.stock import ExpenseCreated, ExpenseDeleted, ExpenseState, ExpenseUpdated
from stockbuddy.stock.documents.expenses.model import Expense


async def create_expense(session: AsyncSession, **values: Any) -> Expense:
    expense = Expense(**values)
    session.add(expense)
    await session.flush()
    await session.refresh(expense)
    outbox.add(session, _to_event(ExpenseCreated, expense))
    return expense


async def update_expense(session: AsyncSession, expense: Expense, changes: dict[str, Any]) -> None:
    expense.update_fields(changes)
    await session.flush()
    outbox.add(session, _to_event(ExpenseUpdated, expense))


async def delete_expense(session: AsyncSession, expense: Expense) -> None:
    expense.version += 1
    outbox.add(session, _to_event(ExpenseDeleted, expense))
    await session.delete(expense)


def _to_event(event: type[ExpenseState], expense: Expense) -> ExpenseState:
    return event.model_validate({name: getattr(expense, name) for name in event.model_fields})
