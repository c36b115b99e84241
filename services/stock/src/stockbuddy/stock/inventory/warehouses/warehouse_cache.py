"""The active warehouses in memory: they are few, change rarely, and every document refers to one.

An entry may be outdated by MAX_AGE_SECONDS if another process changed the warehouse. That is safe: the ledger itself
reads whether a warehouse is active and allows negative stock, after it has locked the levels.
"""

import asyncio
import time
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.chassis.http.tokens import Principal
from stockbuddy.chassis.postgres.database import Database
from stockbuddy.stock.errors import UnknownWarehouse, WarehouseForbidden
from stockbuddy.stock.inventory.warehouses.commands import WAREHOUSES_CHANGED
from stockbuddy.stock.inventory.warehouses.queries import fetch_active_warehouses

MAX_AGE_SECONDS = 1.0

WarehouseReference = int | str
"""An id or a code; codes are case-insensitive."""


@dataclass(frozen=True, slots=True)
class WarehouseEntry:
    id: int
    code: str
    name: str


class WarehouseCache:
    def __init__(self, database: Database) -> None:
        self._database = database
        self._entries: dict[WarehouseReference, WarehouseEntry] = {}
        self._default: WarehouseEntry | None = None
        self._read_at = -MAX_AGE_SECONDS
        self._refreshing = asyncio.Lock()
        database.on_commit(WAREHOUSES_CHANGED, self._invalidate)

    async def load(
        self, reference: WarehouseReference | None, *, session: AsyncSession | None = None
    ) -> WarehouseEntry:
        """The warehouse with that id or code; None: the default warehouse. `session`: see `ProductLookup`. Raises
        UnknownWarehouse."""
        requested_at = time.monotonic()
        is_known = reference is None or _key(reference) in self._entries
        if session is not None and not (self._is_fresh(requested_at) and is_known):
            # Without the lock, whose holder may wait for the connection of this caller.
            await self._refresh(session)
        elif not (self._is_fresh(requested_at) and is_known):
            async with self._refreshing:
                # Another task may have refreshed the cache while this one waited for the lock.
                if self._read_at < requested_at:
                    async with self._database.reading() as reading:
                        await self._refresh(reading)
        warehouse = self._default if reference is None else self._entries.get(_key(reference))
        if warehouse is None:
            raise UnknownWarehouse()
        return warehouse

    async def load_writable(
        self, reference: WarehouseReference | None, caller: Principal, *, session: AsyncSession | None = None
    ) -> WarehouseEntry:
        """The warehouse, if the caller may change its stock. Raises UnknownWarehouse, WarehouseForbidden."""
        warehouse = await self.load(reference, session=session)
        if not caller.may_write_stock_at(warehouse.id):
            raise WarehouseForbidden()
        return warehouse

    def _is_fresh(self, now: float) -> bool:
        return now - self._read_at < MAX_AGE_SECONDS

    def _invalidate(self) -> None:
        self._read_at = -MAX_AGE_SECONDS

    async def _refresh(self, session: AsyncSession) -> None:
        read_at = time.monotonic()
        warehouses = await fetch_active_warehouses(session)
        entries: dict[WarehouseReference, WarehouseEntry] = {}
        for warehouse in warehouses:
            entry = WarehouseEntry(warehouse.id, warehouse.code, warehouse.name)
            entries[warehouse.id] = entries[_key(warehouse.code)] = entry
            if warehouse.is_default:
                self._default = entry
        self._entries, self._read_at = entries, read_at


def _key(reference: WarehouseReference) -> WarehouseReference:
    return reference.lower() if isinstance(reference, str) else reference
