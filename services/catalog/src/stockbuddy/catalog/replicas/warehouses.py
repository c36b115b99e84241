"""Keeps the read copy of stock: the newest state heard of each level and warehouse wins, however often and in
whatever order they are heard. A level may be known before its product or warehouse."""

from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.catalog.levels import queries
from stockbuddy.contracts.stock import LevelChanged, WarehouseState


async def project_levels(session: AsyncSession, events: Sequence[LevelChanged]) -> None:
    newest: dict[tuple[int, int, int], LevelChanged] = {}
    for event in events:
        key = (event.product_id, event.warehouse_id, event.lot)
        if key not in newest or newest[key].version < event.version:
            newest[key] = event
    await queries.write_levels(session, list(newest.values()))


async def project_warehouses(session: AsyncSession, events: Sequence[WarehouseState]) -> None:
    newest = {event.warehouse_id: event for event in sorted(events, key=lambda event: event.version)}
    await queries.write_warehouses(session, list(newest.values()))
