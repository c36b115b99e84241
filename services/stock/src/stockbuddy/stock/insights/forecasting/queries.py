"""Past demand from the ledger: quantities sold or issued. Reversed movements (also of voided sales) are excluded."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import TextClause, text
from sqlalchemy.ext.asyncio import AsyncSession

_IS_DEMAND = """
    m.movement_type IN ('sale', 'out')
    AND NOT EXISTS (SELECT FROM movement r WHERE r.reverses_id = m.id)
    AND (CAST(:warehouse_id AS bigint) IS NULL OR m.warehouse_id = CAST(:warehouse_id AS bigint))
"""

_FIRST_MOVEMENT_TIME = text("""
    SELECT min(m.occurred_at) FROM movement m WHERE m.product_id = :product_id
        AND (CAST(:warehouse_id AS bigint) IS NULL OR m.warehouse_id = CAST(:warehouse_id AS bigint))
""")

_DAILY_DEMAND = text(f"""
    SELECT width_bucket(m.occurred_at, CAST(:starts AS timestamptz[])) AS day,
           CAST(-sum(m.quantity) AS double precision) AS quantity
    FROM movement m
    WHERE m.product_id = :product_id AND m.occurred_at >= :since AND m.occurred_at < :until AND {_IS_DEMAND}
    GROUP BY 1
""")

_TOTAL_DAILY_DEMAND = text("""
    SELECT width_bucket(m.occurred_at, CAST(:starts AS timestamptz[])) AS day,
           CAST(-sum(m.quantity) AS double precision) AS quantity
    FROM movement m
    WHERE m.movement_type IN ('sale', 'out') AND m.occurred_at >= :since AND m.occurred_at < :until
        AND (CAST(:warehouse_id AS bigint) IS NULL OR m.warehouse_id = CAST(:warehouse_id AS bigint))
    GROUP BY 1
""")


async def fetch_first_movement_time(
    session: AsyncSession, product_id: int, warehouse_id: int | None
) -> datetime | None:
    parameters = {"product_id": product_id, "warehouse_id": warehouse_id}
    moment: datetime | None = await session.scalar(_FIRST_MOVEMENT_TIME, parameters)
    return moment


async def fetch_daily_demand(
    session: AsyncSession, product_id: int, warehouse_id: int | None, starts: Sequence[datetime]
) -> list[float]:
    """The demand of each day that begins with one of `starts`; the last of them only ends the day before."""
    return await _fetch_daily(session, _DAILY_DEMAND, starts, product_id=product_id, warehouse_id=warehouse_id)


async def fetch_total_daily_demand(
    session: AsyncSession, warehouse_id: int | None, starts: Sequence[datetime]
) -> list[float]:
    """The same for all products together; reversed movements are included."""
    return await _fetch_daily(session, _TOTAL_DAILY_DEMAND, starts, warehouse_id=warehouse_id)


async def _fetch_daily(
    session: AsyncSession, statement: TextClause, starts: Sequence[datetime], **parameters: int | None
) -> list[float]:
    bounds = {"starts": list(starts), "since": starts[0], "until": starts[-1]}
    demand = {row.day: row.quantity for row in await session.execute(statement, parameters | bounds)}
    return [demand.get(number, 0.0) for number in range(1, len(starts))]
