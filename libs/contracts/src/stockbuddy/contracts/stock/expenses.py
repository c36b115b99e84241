"""Events of expenses."""

from datetime import date, datetime
from typing import ClassVar

from stockbuddy.contracts.event import Event
from stockbuddy.contracts.numbers import Money


class ExpenseState(Event):
    """An expense after the change, or before its deletion."""

    subject_template: ClassVar[str] = "expense/{id}"
    sequence_field: ClassVar[str | None] = "version"

    id: int
    version: int
    category: str
    amount: Money
    incurred_on: date
    notes: str | None = None
    warehouse_id: int | None = None
    created_by: int | None = None
    created_at: datetime
    updated_at: datetime


class ExpenseCreated(ExpenseState):
    type: ClassVar[str] = "stock.expense.created"


class ExpenseUpdated(ExpenseState):
    type: ClassVar[str] = "stock.expense.updated"


class ExpenseDeleted(ExpenseState):
    type: ClassVar[str] = "stock.expense.deleted"
