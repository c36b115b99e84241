"""Demand as the ledger knows it: what was sold or taken out. What was reversed is none, by a void or otherwise."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

_IS_DEMAND = """
    m.movement_type IN ('sale', 'out')
    AND NOT EXISTS (SELECT FROM movement r WHERE r.reverses_id = m.id)
    AND (CAST(:warehouse_id AS bigint) IS NULL OR m.warehouse_id = CAST(:warehouse_id AS bigint))
"""

_FIRST = text("""
    SELECT min(m.occurred_at) FROM movement m WHERE m.product_id = :product_id
        AND (CAST(:warehouse_id AS bigint) IS NULL OR m.warehouse_id = CAST(:warehouse_id AS bigint))
""")

_DAILY = text(f"""
    SELECT width_bucket(m.occurred_at, CAST(:starts AS timestamptz[])) AS day,
           CAST(-sum(m.quantity) AS double precision) AS quantity
    FROM movement m
    WHERE m.product_id = :product_id AND m.occurred_at >= :since AND m.occurred_at < :until AND {_IS_DEMAND}
    GROUP BY 1
""")

_SHOP_DAILY = text("""
    SELECT width_bucket(m.occurred_at, CAST(:starts AS timestamptz[])) AS day,
           CAST(-sum(m.quantity) AS double precision) AS quantity
    FROM movement m
    WHERE m.movement_type IN ('sale', 'out') AND m.occurred_at >= :since AND m.occurred_at < :until
        AND (CAST(:warehouse_id AS bigint) IS NULL OR m.warehouse_id = CAST(:warehouse_id AS bigint))
    GROUP BY 1
""")


async def first_movement_at(session: AsyncSession, product_id: int, warehouse_id: int | None) -> datetime | None:
    moment: datetime | None = await session.scalar(_FIRST, {"product_id": product_id, "warehouse_id": warehouse_id})
    return moment


async def fetch_daily_demand(
    session: AsyncSession, product_id: int, warehouse_id: int | None, starts: Sequence[datetime]
) -> list[float]:
    """Of each day that begins with one of `starts`; the last of them only ends the day before."""
    values = {"product_id": product_id, "warehouse_id": warehouse_id, **_bounds(starts)}
    return _filled({row.day: row.quantity for row in await session.execute(_DAILY, values)}, len(starts) - 1)


async def fetch_shop_demand(session: AsyncSession, warehouse_id: int | None, starts: Sequence[datetime]) -> list[float]:
    """The same, of all products together."""
    values = {"warehouse_id": warehouse_id, **_bounds(starts)}
    return _filled({row.day: row.quantity for row in await session.execute(_SHOP_DAILY, values)}, len(starts) - 1)


def _bounds(starts: Sequence[datetime]) -> dict[str, object]:
    return {"starts": list(starts), "since": starts[0], "until": starts[-1]}


def _filled(found: dict[int, float], days: int) -> list[float]:
    return [found.get(number, 0.0) for number in range(1, days + 1)]
