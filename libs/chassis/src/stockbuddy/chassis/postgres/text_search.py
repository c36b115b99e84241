"""Conditions and sort keys by `text_key` (text_keys.py), for SQLAlchemy statements."""

from typing import Any

from sqlalchemy import ColumnElement, Text, collate, func, or_, select


def contains_text(search: str, *columns: Any) -> ColumnElement[bool]:
    """Whether one of the columns contains `search`, compared by text keys."""
    # A subquery, so that a generic plan computes the key once rather than for each row.
    key = select(func.text_key(search, type_=Text)).scalar_subquery()
    return or_(*(func.strpos(func.text_key(column), key) > 0 for column in columns))


def text_sort_key(column: Any) -> ColumnElement[str]:
    """Sorts as people read, the same in every locale; the expression of an index on it is
    `(text_key(column) COLLATE "C")`."""
    return collate(func.text_key(column, type_=Text), "C")
