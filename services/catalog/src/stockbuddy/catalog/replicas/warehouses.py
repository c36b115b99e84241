"""Replica of the warehouses: their names and codes, and which one is the default."""

from collections.abc import Sequence

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.contracts.stock import WarehouseState

_UPSERT = text("""
    INSERT INTO warehouse AS w (id, version, code, name, kind, is_default, deleted)
    SELECT * FROM unnest(CAST(:ids AS bigint[]), CAST(:versions AS integer[]), CAST(:codes AS text[]),
        CAST(:names AS text[]), CAST(:kinds AS text[]), CAST(:defaults AS boolean[]), CAST(:deleted AS boolean[]))
    ON CONFLICT (id) DO UPDATE SET version = excluded.version, code = excluded.code, name = excluded.name,
        kind = excluded.kind, is_default = excluded.is_default, deleted = excluded.deleted
        WHERE w.version < excluded.version
""")
_DEFAULT = text("SELECT id, name, code FROM warehouse WHERE is_default AND NOT deleted ORDER BY id")


async def find_default_warehouse_ids(session: AsyncSession) -> list[int]:
    """Usually one; none before the first event, and two or none between the two events of a change of the default."""
    return list(await session.scalars(_DEFAULT))


async def find_default_warehouse(session: AsyncSession) -> Row[tuple[int, str, str]] | None:
    """Its id, name and code; None while it is not known for certain."""
    rows = (await session.execute(_DEFAULT)).all()
    return rows[0] if len(rows) == 1 else None


async def replicate_warehouses(session: AsyncSession, events: Sequence[WarehouseState]) -> None:
    newest = {event.warehouse_id: event for event in sorted(events, key=lambda event: event.version)}
    # In one order, so that concurrent transactions do not deadlock.
    warehouses = [newest[warehouse_id] for warehouse_id in sorted(newest)]
    await session.execute(
        _UPSERT,
        {
            "ids": [warehouse.warehouse_id for warehouse in warehouses],
            "versions": [warehouse.version for warehouse in warehouses],
            "codes": [warehouse.code for warehouse in warehouses],
            "names": [warehouse.name for warehouse in warehouses],
            "kinds": [warehouse.kind for warehouse in warehouses],
            "defaults": [warehouse.is_default for warehouse in warehouses],
            "deleted": [warehouse.deleted for warehouse in warehouses],
        },
    )
