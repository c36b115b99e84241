"""Finds tables and columns without a comment."""

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

# Partitions and tables that inherit take their columns from their parent, which is commented.
_UNCOMMENTED = text("""
    SELECT c.relname || coalesce('.' || a.attname, '') AS name
    FROM pg_class c
    LEFT JOIN LATERAL (
        SELECT attname, attnum FROM pg_attribute WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped
        UNION ALL SELECT NULL, 0
    ) a ON true
    WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p')
        AND NOT EXISTS (SELECT FROM pg_inherits WHERE inhrelid = c.oid)
        AND col_description(c.oid, a.attnum) IS NULL AND (a.attnum > 0 OR obj_description(c.oid, 'pg_class') IS NULL)
    ORDER BY 1
""")


async def uncommented(session: AsyncSession) -> list[str]:
    """`table` or `table.column` of everything in the current schema that lacks a comment."""
    return list(await session.scalars(_UNCOMMENTED))
