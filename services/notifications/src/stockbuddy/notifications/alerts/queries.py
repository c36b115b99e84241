"""The alert state of each level."""

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.contracts.stock import LevelState
from stockbuddy.notifications.alerts.level_alert import INITIAL, LevelAlertState
from stockbuddy.notifications.kinds import Kind

_KEY = "product_id = :product_id AND warehouse_id = :warehouse_id AND lot = :lot"
_INSERT = text("""
    INSERT INTO level_alert (product_id, warehouse_id, lot, version, state)
    VALUES (:product_id, :warehouse_id, :lot, :version, :state) ON CONFLICT DO NOTHING
""")
_LOCK = text(f"SELECT version, state FROM level_alert WHERE {_KEY} FOR UPDATE")
_UPDATE = text(f"UPDATE level_alert SET version = :version, state = :state WHERE {_KEY}")
_HAS_RECENT = text("""
    SELECT EXISTS (SELECT FROM notification
                   WHERE created_at > now() - interval '1 day' AND kind = :kind AND title = :title)
""")


async def has_recent_notification(session: AsyncSession, kind: Kind, title: str) -> bool:
    """True if there was one in the last day."""
    return bool(await session.scalar(_HAS_RECENT, {"kind": kind, "title": title}))


async def lock_level_alert(session: AsyncSession, level: LevelState) -> LevelAlertState:
    """The level's state, locked until the transaction ends so that one crossing raises one alert."""
    await session.execute(_INSERT, _to_values(level, INITIAL))
    row = (await session.execute(_LOCK, _to_values(level, INITIAL))).one()
    return LevelAlertState(row.version, row.state)


async def update_level_alert(session: AsyncSession, level: LevelState, state: LevelAlertState) -> None:
    await session.execute(_UPDATE, _to_values(level, state))


def _to_values(level: LevelState, state: LevelAlertState) -> dict[str, object]:
    return {
        "product_id": level.product_id,
        "warehouse_id": level.warehouse_id,
        "lot": level.lot,
        "version": state.version,
        "state": state.state,
    }
