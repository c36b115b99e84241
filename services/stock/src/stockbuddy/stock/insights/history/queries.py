"""Levels at a past moment, computed from closing balances and movements.

A past level is the closing balance of the last day before, plus the movements of that day up to the moment (`d`), plus
those not yet in the closing balances (`u`): the sum of the changes of quantity and value that had occurred by then.
"""

from datetime import UTC, date, datetime, time
from decimal import Decimal

from sqlalchemy import BigInteger, Boolean, DateTime, Numeric, Subquery, bindparam, column, text

_LEVELS_AT = """
    SELECT l.product_id, l.warehouse_id, l.lot,
           coalesce(c.on_hand, 0) + coalesce(d.change, 0) + coalesce(u.change, 0) AS on_hand,
           coalesce(c.value, 0) + coalesce(d.value_change, 0) + coalesce(u.value_change, 0) AS value,
           l.last_cost IS NOT NULL AS is_cost_known,
           greatest(c.last_occurred_at, d.last_occurred_at, u.last_occurred_at) AS updated_at
    FROM level l
    LEFT JOIN LATERAL (
        SELECT b.on_hand, b.value, b.last_occurred_at FROM closing_stock b
        WHERE (b.product_id, b.warehouse_id, b.lot) = (l.product_id, l.warehouse_id, l.lot) AND b.day < {day}
        ORDER BY b.day DESC LIMIT 1
    ) c ON true
    LEFT JOIN (
        SELECT m.product_id, m.warehouse_id, m.lot, sum(m.quantity) AS change, sum(m.value) AS value_change,
               max(m.occurred_at) AS last_occurred_at
        FROM movement m JOIN closing_stock_progress p USING (product_id, warehouse_id, lot)
        WHERE m.occurred_at >= {day_start} AND m.occurred_at <= {moment} AND m.version <= p.version
        GROUP BY m.product_id, m.warehouse_id, m.lot
    ) d ON (d.product_id, d.warehouse_id, d.lot) = (l.product_id, l.warehouse_id, l.lot)
    LEFT JOIN (
        SELECT m.product_id, m.warehouse_id, m.lot, sum(m.quantity) AS change, sum(m.value) AS value_change,
               max(m.occurred_at) AS last_occurred_at
        FROM level k LEFT JOIN closing_stock_progress p USING (product_id, warehouse_id, lot)
        JOIN movement m USING (product_id, warehouse_id, lot)
        WHERE k.version > coalesce(p.version, 0) AND m.version > coalesce(p.version, 0) AND m.occurred_at <= {moment}
        GROUP BY m.product_id, m.warehouse_id, m.lot
    ) u ON (u.product_id, u.warehouse_id, u.lot) = (l.product_id, l.warehouse_id, l.lot)
    WHERE c.on_hand IS NOT NULL OR d.change IS NOT NULL OR u.change IS NOT NULL
"""


def levels_at_sql(moment: str) -> str:
    """SELECT `product_id, warehouse_id, lot, on_hand, value, is_cost_known, updated_at` of every level with movements
    up to a moment, inclusive. `moment`: the parameter name given to `moment_parameters`."""
    return _LEVELS_AT.format(moment=f":{moment}", day=f":{moment}_day", day_start=f":{moment}_day_start")


def moment_parameters(name: str, moment: datetime) -> dict[str, datetime | date]:
    """The parameters of `levels_at_sql(name)`."""
    moment = moment.astimezone(UTC)
    return {
        name: moment,
        f"{name}_day": moment.date(),
        f"{name}_day_start": datetime.combine(moment.date(), time(), UTC),
    }


def levels_at(moment: datetime) -> Subquery:
    """`levels_at_sql` as a subquery of SQLAlchemy."""
    parameters = moment_parameters("moment", moment)
    return (
        text(levels_at_sql("moment"))
        .bindparams(
            bindparam("moment_day", parameters["moment_day"]),
            bindparam("moment_day_start", parameters["moment_day_start"], DateTime(timezone=True)),
            bindparam("moment", parameters["moment"], DateTime(timezone=True)),
        )
        .columns(
            column("product_id", BigInteger),
            column("warehouse_id", BigInteger),
            column("lot", BigInteger),
            column("on_hand", Numeric[Decimal](18, 3)),
            column("value", Numeric[Decimal](28, 10)),
            column("is_cost_known", Boolean),
            column("updated_at", DateTime(timezone=True)),
        )
        .subquery("level_at")
    )
