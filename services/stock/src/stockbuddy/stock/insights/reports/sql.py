"""What the statements of all reports share. Each report is read by one statement, and so from one snapshot."""

from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.stock.replicas.categories import is_in_category_sql

Rows = list[dict[str, Any]]

WAREHOUSE_FILTER = "(CAST(:warehouse_id AS bigint) IS NULL OR h.warehouse_id = CAST(:warehouse_id AS bigint))"
"""`h`: rows with a warehouse_id."""
CATEGORY_FILTER = is_in_category_sql(":category")
"""`p`: the product."""


async def fetch_rows(session: AsyncSession, statement: str, **parameters: Any) -> Rows:
    """The rows by column name. Parameters that the statement does not use are ignored."""
    return [dict(row) for row in (await session.execute(text(statement), parameters)).mappings()]
