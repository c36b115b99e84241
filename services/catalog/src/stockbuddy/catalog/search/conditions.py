"""Translates a filter into FROM and WHERE over `p` (product), `s` (its stock) and `k` (its card)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from stockbuddy.catalog.replicas.system_settings import DEFAULT_THRESHOLD
from stockbuddy.catalog.search.schemas import ProductFilter

_TABLES = {"p": ("product", "id"), "s": ("product_stock", "product_id"), "k": ("product_card", "product_id")}
_NOT_DELETED = {"p": "p.deleted_at IS NULL", "s": "s.not_deleted", "k": "k.search IS NOT NULL"}

_IN_CATEGORY_TREE = """
    p.category_id = ANY (ARRAY(
        WITH RECURSIVE below AS (
            SELECT id FROM category WHERE {root} AND deleted_at IS NULL
            UNION SELECT c.id FROM category c JOIN below b ON c.parent_id = b.id WHERE c.deleted_at IS NULL
        ) SELECT id FROM below))
"""


class Arguments(list[Any]):
    """The values of a statement's parameters."""

    def add(self, value: Any, type_name: str) -> str:
        """The placeholder of `value`, such as `$3::bigint`."""
        self.append(value)
        return f"${len(self)}::{type_name}"


@dataclass(frozen=True, slots=True)
class Selection:
    """The products that match a filter. `product_id` is the column of their id, such as `p.id`."""

    source: str
    where: str
    product_id: str


def select_products(
    query: ProductFilter,
    arguments: Arguments,
    *,
    sorted_by: str | None = None,
    search: Sequence[str] | None = None,
) -> Selection:
    """Joins only the tables that the filter needs and `sorted_by`, the table of the sort key. `search`: the conditions
    for the search terms, if the statement has its own."""
    conditions: dict[str, Sequence[str]] = {
        "p": _product_conditions(query, arguments),
        "s": _stock_conditions(query),
        "k": _search_conditions(query, arguments, search),
    }
    tables = [table for table in _TABLES if conditions[table] or table == sorted_by] or ["p"]
    product_id = f"{tables[0]}.{_TABLES[tables[0]][1]}"
    source = " JOIN ".join(
        f"{_TABLES[table][0]} {table}" + (f" ON {table}.{_TABLES[table][1]} = {product_id}" if number else "")
        for number, table in enumerate(tables)
    )
    # On every table, so that each of their partial indexes can be used.
    not_deleted = [] if query.include_deleted else [_NOT_DELETED[table] for table in tables]
    where = " AND ".join([*not_deleted, *(condition for table in tables for condition in conditions[table])])
    return Selection(source, where or "true", product_id)


def _product_conditions(query: ProductFilter, arguments: Arguments) -> list[str]:
    conditions = []
    if query.category is not None:
        name = arguments.add(query.category.strip(), "text")
        conditions.append(_IN_CATEGORY_TREE.format(root=f"lower(name) = lower({name})"))
    if query.category_id is not None:
        conditions.append(_IN_CATEGORY_TREE.format(root=f"id = {arguments.add(query.category_id, 'bigint')}"))
    for value, condition, type_name in (
        (query.supplier_id, "p.supplier_id = {}", "bigint"),
        (query.owner_id, "p.owner_id = {}", "bigint"),
        (query.price_min, "p.unit_price >= {}", "numeric"),
        (query.price_max, "p.unit_price <= {}", "numeric"),
        (query.created_from_date, "p.created_at >= {}", "timestamptz"),
        (query.created_to_date, "p.created_at < {}", "timestamptz"),
    ):
        if value is not None:
            conditions.append(condition.format(arguments.add(value, type_name)))
    if query.is_active is not None:
        conditions.append("p.is_active" if query.is_active else "NOT p.is_active")
    return conditions


def _stock_conditions(query: ProductFilter) -> list[str]:
    conditions = []
    if query.in_stock is not None:
        conditions.append("s.on_hand > 0" if query.in_stock else "s.on_hand <= 0")
    if query.low_stock is not None:
        # Two alternatives, because each has its own partial index.
        own = "s.threshold IS NOT NULL AND s.on_hand <= s.threshold"
        low = f"({own} OR s.threshold IS NULL AND s.on_hand <= {DEFAULT_THRESHOLD})"
        conditions.append(low if query.low_stock else f"s.on_hand > coalesce(s.threshold, {DEFAULT_THRESHOLD})")
    return conditions


def _search_conditions(query: ProductFilter, arguments: Arguments, search: Sequence[str] | None) -> Sequence[str]:
    if query.search is None:
        return []
    if search is not None:
        return search
    return [f"k.search @@ (SELECT search_query({arguments.add(query.search, 'text')}))"]
