"""Finds the users who may read reports."""

from collections.abc import Collection

from sqlalchemy import Select, select

from stockbuddy.auth.report_recipients.schemas import ReportRecipientFilter
from stockbuddy.auth.users.model import User
from stockbuddy.chassis.postgres.text_search import contains_text


def select_readers(roles: Collection[str], filters: ReportRecipientFilter) -> Select[User]:
    """Active users with one of the roles, whose username or full name contains every word of `search`. Addresses are
    not searched: a search by them would tell them."""
    statement = select(User).where(User.is_active, User.role.in_(roles))
    for word in (filters.search or "").split():
        statement = statement.where(contains_text(word, User.username, User.full_name))
    if filters.ids is not None:
        statement = statement.where(User.id.in_(filters.ids))
    return statement
