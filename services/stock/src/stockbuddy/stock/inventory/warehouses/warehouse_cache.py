"""The warehouses in memory: they are few and change rarely, and every document names one.

A copy may be a second old where another replica changed something. That is safe: whether a warehouse is still open
and what it allows is read by the ledger itself, once it holds the locks.
"""

import asyncio
import time
from dataclasses import dataclass

from fastapi import Request
from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.chassis.http.tokens import Principal
from stockbuddy.chassis.postgres.database import Database
from stockbuddy.stock.errors import NotYourWarehouse, UnknownWarehouse
from stockbuddy.stock.inventory.warehouses.queries import open_warehouses

FRESH_SECONDS = 1.0

WarehouseReference = int | str
"""An id or a code; codes are the same whatever their case."""


@dataclass(frozen=True, slots=True)
class WarehouseEntry:
    id: int
    code: str
    name: str


class WarehouseCache:
    def __init__(self, database: Database) -> None:
        self._database = database
        self._known: dict[WarehouseReference, WarehouseEntry] = {}
        self._default: WarehouseEntry | None = None
        self._read_at = -FRESH_SECONDS
        self._reading = asyncio.Lock()

    async def find(self, reference: WarehouseReference | None) -> WarehouseEntry:
        """The warehouse of that id or code, or the default one. Raises UnknownWarehouse."""
        asked_at = time.monotonic()
        if not self._is_fresh(asked_at) or (reference is not None and _key(reference) not in self._known):
            async with self._reading:
                # Whoever waited for another's reading has been served by it, if that began after they asked.
                if self._read_at < asked_at:
                    await self._read()
        warehouse = self._default if reference is None else self._known.get(_key(reference))
        if warehouse is None:
            raise UnknownWarehouse()
        return warehouse

    async def find_for_writing(self, reference: WarehouseReference | None, caller: Principal) -> WarehouseEntry:
        """Raises NotYourWarehouse too."""
        warehouse = await self.find(reference)
        if not caller.may_write_stock_at(warehouse.id):
            raise NotYourWarehouse()
        return warehouse

    def _is_fresh(self, now: float) -> bool:
        return now - self._read_at < FRESH_SECONDS

    def forget_after_commit(self, session: AsyncSession) -> None:
        event.listen(session.sync_session, "after_commit", lambda _: self._forget(), once=True)

    def _forget(self) -> None:
        self._read_at = -FRESH_SECONDS

    async def _read(self) -> None:
        read_at = time.monotonic()
        async with self._database.reading() as session:
            warehouses = await open_warehouses(session)
        known: dict[WarehouseReference, WarehouseEntry] = {}
        for warehouse in warehouses:
            entry = WarehouseEntry(warehouse.id, warehouse.code, warehouse.name)
            known[warehouse.id] = known[_key(warehouse.code)] = entry
            if warehouse.is_default:
                self._default = entry
        self._known, self._read_at = known, read_at


def directory_of(request: Request) -> WarehouseCache:
    directory: WarehouseCache = request.app.state.warehouses
    return directory


def _key(reference: WarehouseReference) -> WarehouseReference:
    return reference.lower() if isinstance(reference, str) else reference
