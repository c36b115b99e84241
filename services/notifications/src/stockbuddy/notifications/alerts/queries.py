"""Remembers where each level of stock stands."""

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.contracts.stock import LevelState
from stockbuddy.notifications.alerts.level_alert import UNHEARD_OF, Standing

_KEY = "product_id = :product_id AND warehouse_id = :warehouse_id AND lot = :lot"
_HEAR_OF = text("""
    INSERT INTO level_alert (product_id, warehouse_id, lot, version, state)
    VALUES (:product_id, :warehouse_id, :lot, :version, :state) ON CONFLICT DO NOTHING
""")
_LOCK = text(f"SELECT version, state FROM level_alert WHERE {_KEY} FOR UPDATE")
_SET = text(f"UPDATE level_alert SET version = :version, state = :state WHERE {_KEY}")


async def lock_standing(session: AsyncSession, level: LevelState) -> Standing:
    """As it was; nobody else changes it until the transaction ends."""
    await session.execute(_HEAR_OF, _values(level, UNHEARD_OF))
    row = (await session.execute(_LOCK, _values(level, UNHEARD_OF))).one()
    return Standing(row.version, row.state)


async def set_standing(session: AsyncSession, level: LevelState, standing: Standing) -> None:
    await session.execute(_SET, _values(level, standing))


def _values(level: LevelState, standing: Standing) -> dict[str, object]:
    return {
        "product_id": level.product_id,
        "warehouse_id": level.warehouse_id,
        "lot": level.lot,
        "version": standing.version,
        "state": standing.state,
    }
