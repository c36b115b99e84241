"""Past demand from the ledger: quantities sold or issued. Reversed movements (also of voided sales) and their reversals
are excluded."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import TextClause, text
from sqlalchemy.ext.asyncio import AsyncSession

REDUCED_PRICE_SHARE = 0.95
"""A sale line below this share of the product's price is a promotion."""

# Rows are packed: decoding each value of a hundred thousand rows takes longer than finding them. Reversed movements are
# excluded after reading, since joining them takes as long as reading the others. The rows have changes up to now, and
# the stock in the same statement, since balances of past days are computed from the present one.
_LEDGER = """
    SELECT CASE WHEN m.movement_type IN ('sale', 'out') THEN 'demand' ELSE 'other' END AS kind, m.warehouse_id,
           string_agg(int8send(m.id) || int8send(m.product_id)
                      || int4send(width_bucket(m.occurred_at, CAST(:starts AS timestamptz[])))
                      || float8send(CAST(m.quantity AS double precision)), '') AS records
    FROM movement m WHERE m.occurred_at >= :since AND m.reverses_id IS NULL {condition}
    GROUP BY 1, 2
    UNION ALL
    SELECT 'stock', m.warehouse_id,
           string_agg(int8send(0) || int8send(m.product_id) || int4send(0)
                      || float8send(CAST(m.on_hand AS double precision)), '')
    FROM level m WHERE m.version > 0 {condition}
    GROUP BY m.warehouse_id
    UNION ALL
    SELECT 'reversed', 0,
           string_agg(int8send(m.reverses_id) || int8send(m.product_id) || int4send(0) || float8send(0), '')
    FROM movement m WHERE m.reverses_id IS NOT NULL {condition}
    HAVING count(*) > 0
"""
_OF_PRODUCTS = "AND m.product_id = ANY(CAST(:product_ids AS bigint[]))"
_LEDGER_OF_ALL = text(_LEDGER.format(condition=""))
_LEDGER_OF_PRODUCTS = text(_LEDGER.format(condition=_OF_PRODUCTS))

_REDUCED = """
    SELECT 'reduced', s.warehouse_id,
           string_agg(int8send(0) || int8send(m.product_id)
                      || int4send(width_bucket(s.occurred_at, CAST(:starts AS timestamptz[])))
                      || float8send(CAST(m.quantity AS double precision)), '')
    FROM sale s JOIN sale_line m ON m.sale_id = s.id JOIN product p ON p.id = m.product_id
    WHERE s.occurred_at >= :since AND s.occurred_at < :until AND s.status <> 'voided'
        AND m.total < m.quantity * p.unit_price * CAST(:share AS numeric) {condition}
    GROUP BY s.warehouse_id
"""
_REDUCED_OF_ALL = text(_REDUCED.format(condition=""))
_REDUCED_OF_PRODUCTS = text(_REDUCED.format(condition=_OF_PRODUCTS))

_TOTAL_DAILY_DEMAND = text("""
    SELECT width_bucket(m.occurred_at, CAST(:starts AS timestamptz[])) AS day,
           CAST(-sum(m.quantity) AS double precision) AS quantity
    FROM movement m
    WHERE m.movement_type IN ('sale', 'out') AND m.occurred_at >= :since AND m.occurred_at < :until
    GROUP BY 1
""")


@dataclass(frozen=True, slots=True)
class LedgerRows:
    """Rows of a warehouse, each with the fields of `demand_history.RECORD`. `kind`: `demand` and `other` changes of
    stock; `stock` at present; the movements `reversed`, of all warehouses; sales at `reduced` prices."""

    kind: str
    warehouse_id: int
    records: bytes


async def fetch_ledger(
    session: AsyncSession, starts: Sequence[datetime], product_ids: Sequence[int] | None
) -> list[LedgerRows]:
    """Movements since the first of `starts`, and present stock. A day's number is 1 from the first of `starts` on; the
    last of them begins the day after the history, whose number all later days have."""
    parameters: dict[str, object] = {"starts": list(starts), "since": starts[0]}
    return await _fetch_rows(session, (_LEDGER_OF_ALL, _LEDGER_OF_PRODUCTS), parameters, product_ids)


async def fetch_reduced_sales(
    session: AsyncSession, starts: Sequence[datetime], product_ids: Sequence[int] | None
) -> list[LedgerRows]:
    """Sales at reduced prices, without those of the last day."""
    parameters = {"starts": list(starts), "since": starts[0], "until": starts[-1], "share": REDUCED_PRICE_SHARE}
    return await _fetch_rows(session, (_REDUCED_OF_ALL, _REDUCED_OF_PRODUCTS), parameters, product_ids)


async def _fetch_rows(
    session: AsyncSession,
    statements: tuple[TextClause, TextClause],
    parameters: dict[str, object],
    product_ids: Sequence[int] | None,
) -> list[LedgerRows]:
    of_all, of_products = statements
    if product_ids is None:
        rows = await session.execute(of_all, parameters)
    else:
        rows = await session.execute(of_products, parameters | {"product_ids": list(product_ids)})
    return [LedgerRows(*row) for row in rows]


async def fetch_total_daily_demand(session: AsyncSession, starts: Sequence[datetime]) -> list[float]:
    """The demand for all products together of each day that begins with one of `starts`; the last of them only ends the
    day before. Reversed movements are included."""
    parameters = {"starts": list(starts), "since": starts[0], "until": starts[-1]}
    demand = {row.day: row.quantity for row in await session.execute(_TOTAL_DAILY_DEMAND, parameters)}
    return [demand.get(number, 0.0) for number in range(1, len(starts))]
