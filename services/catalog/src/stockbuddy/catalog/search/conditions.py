"""Turns what a list is asked for into FROM and WHERE over `p` (product), `s` (its stock) and `k` (its card)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from stockbuddy.catalog.listing.schemas import ProductListing
from stockbuddy.catalog.system_settings.queries import DEFAULT_THRESHOLD

_TABLES = {"p": ("product", "id"), "s": ("product_stock", "product_id"), "k": ("product_card", "product_id")}
_LIVING = {"p": "p.deleted_at IS NULL", "s": "s.living", "k": "k.search IS NOT NULL"}

_CATEGORY_AND_BELOW = """
    p.category_id = ANY (ARRAY(
        WITH RECURSIVE below AS (
            SELECT id FROM category WHERE {first} AND deleted_at IS NULL
            UNION SELECT c.id FROM category c JOIN below b ON c.parent_id = b.id WHERE c.deleted_at IS NULL
        ) SELECT id FROM below))
"""


class Arguments(list[Any]):
    """The values of a statement's parameters."""

    def add(self, value: Any, type_name: str) -> str:
        """The parameter that stands for `value`, as `$3::bigint`."""
        self.append(value)
        return f"${len(self)}::{type_name}"


@dataclass(frozen=True, slots=True)
class Selection:
    """The rows a list is drawn from."""

    source: str
    where: str
    product_id: str
    """The column, as `p.id`."""


def select_products(
    listing: ProductListing,
    arguments: Arguments,
    *,
    sorted_by: str | None = None,
    search: tuple[str, ...] | None = None,
) -> Selection:
    """The fewest tables that the filters need, and `sorted_by`, the one that the order comes from. `search` are the
    conditions that stand for what is sought, where the statement has its own."""
    conditions: dict[str, Sequence[str]] = {
        "p": _product_conditions(listing, arguments),
        "s": _stock_conditions(listing),
        "k": _search_conditions(listing, arguments, search),
    }
    tables = [table for table in _TABLES if conditions[table] or table == sorted_by] or ["p"]
    first = f"{tables[0]}.{_TABLES[tables[0]][1]}"
    source = " JOIN ".join(
        f"{_TABLES[table][0]} {table}" + (f" ON {table}.{_TABLES[table][1]} = {first}" if number else "")
        for number, table in enumerate(tables)
    )
    living = [] if listing.include_deleted else [_LIVING[table] for table in tables]
    where = " AND ".join([*living, *(condition for table in tables for condition in conditions[table])])
    return Selection(source, where or "true", first)


def _product_conditions(listing: ProductListing, arguments: Arguments) -> list[str]:
    conditions = []
    if listing.category is not None:
        name = arguments.add(listing.category.strip(), "text")
        conditions.append(_CATEGORY_AND_BELOW.format(first=f"lower(name) = lower({name})"))
    if listing.category_id is not None:
        conditions.append(_CATEGORY_AND_BELOW.format(first=f"id = {arguments.add(listing.category_id, 'bigint')}"))
    for value, condition, type_name in (
        (listing.supplier_id, "p.supplier_id = {}", "bigint"),
        (listing.owner_id, "p.owner_id = {}", "bigint"),
        (listing.price_min, "p.unit_price >= {}", "numeric"),
        (listing.price_max, "p.unit_price <= {}", "numeric"),
        (listing.created_from_date, "p.created_at >= {}", "timestamptz"),
        (listing.created_to_date, "p.created_at < {}", "timestamptz"),
    ):
        if value is not None:
            conditions.append(condition.format(arguments.add(value, type_name)))
    if listing.is_active is not None:
        conditions.append("p.is_active" if listing.is_active else "NOT p.is_active")
    return conditions


def _stock_conditions(listing: ProductListing) -> list[str]:
    conditions = []
    if listing.in_stock is not None:
        conditions.append("s.on_hand > 0" if listing.in_stock else "s.on_hand <= 0")
    if listing.low_stock is not None:
        # Two halves, so that each has an index of its own.
        own = "s.threshold IS NOT NULL AND s.on_hand <= s.threshold"
        low = f"({own} OR s.threshold IS NULL AND s.on_hand <= {DEFAULT_THRESHOLD})"
        conditions.append(low if listing.low_stock else f"s.on_hand > coalesce(s.threshold, {DEFAULT_THRESHOLD})")
    return conditions


def _search_conditions(listing: ProductListing, arguments: Arguments, search: tuple[str, ...] | None) -> Sequence[str]:
    if listing.search is None:
        return []
    if search is not None:
        return search
    return [f"k.search @@ (SELECT search_query({arguments.add(listing.search, 'text')}))"]
