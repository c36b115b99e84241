"""Where each level of stock stands in our eyes, so that a crossing is told once however often it is heard of."""

from typing import Literal

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.contracts.stock import LevelState

Standing = Literal["well", "low", "depleted"]

# What was depleted and is now merely low has not recovered: it stays depleted. Low and depleted may be said
# of one and the same change; then they bear one version, and the worse one holds.
_NOTE = text("""
    WITH known AS (
        SELECT state FROM level_alert
        WHERE product_id = :product_id AND warehouse_id = :warehouse_id AND lot = :lot FOR UPDATE)
    INSERT INTO level_alert AS a (product_id, warehouse_id, lot, version, state)
    VALUES (:product_id, :warehouse_id, :lot, :version, :state)
    ON CONFLICT (product_id, warehouse_id, lot) DO UPDATE
        SET version = excluded.version,
            state = CASE WHEN a.state = 'depleted' AND excluded.state = 'low' THEN a.state ELSE excluded.state END
        WHERE a.version < excluded.version OR (a.version = excluded.version AND excluded.state = 'depleted')
    RETURNING coalesce((SELECT state FROM known), 'well') AS before, state AS after
""")


async def note_standing(session: AsyncSession, level: LevelState, standing: Standing) -> bool:
    """Remember where the level stands now; true if it stands worse than before."""
    values = {
        "product_id": level.product_id,
        "warehouse_id": level.warehouse_id,
        "lot": level.lot,
        "version": level.version,
        "state": standing,
    }
    row = (await session.execute(_NOTE, values)).one_or_none()
    return row is not None and row.after not in {"well", row.before}
