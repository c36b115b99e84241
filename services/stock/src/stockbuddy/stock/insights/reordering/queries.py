"""Reads of reorder rules."""

from sqlalchemy import ColumnElement, select
from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.chassis.http.errors import NotFound
from stockbuddy.chassis.http.pagination import PageSlice, SortOrder, fetch_page
from stockbuddy.stock.insights.reordering.model import ReorderRule
from stockbuddy.stock.insights.reordering.schemas import ReorderFilter

BY_ID = SortOrder("id_asc", (ReorderRule.id,))


async def list_rules(session: AsyncSession, filters: ReorderFilter) -> PageSlice[ReorderRule]:
    equalities = (
        (ReorderRule.product_id, filters.product_id),
        (ReorderRule.warehouse_id, filters.warehouse_id),
        (ReorderRule.supplier_id, filters.supplier_id),
    )
    conditions: list[ColumnElement[bool]] = [column == value for column, value in equalities if value is not None]
    return await fetch_page(session, select(ReorderRule).where(*conditions), BY_ID, filters)


async def get_rule(session: AsyncSession, rule_id: int, *, for_update: bool = False) -> ReorderRule:
    """Raises NotFound."""
    rule = await session.get(ReorderRule, rule_id, with_for_update=for_update or None)
    if rule is None:
        raise NotFound()
    return rule
