"""Where a request that moves stock is served: who asks, under which key, and what its document is looked up in."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Annotated, Self

from fastapi import Depends, FastAPI, Request, Response

from stockbuddy.chassis.http.app import Lifespan
from stockbuddy.chassis.http.authentication import Caller
from stockbuddy.chassis.http.idempotency import IdempotencyKey
from stockbuddy.chassis.http.tokens import Principal
from stockbuddy.chassis.postgres.database import Database
from stockbuddy.stock.http.responses import answered
from stockbuddy.stock.inventory.warehouses.commands import open_default_warehouse
from stockbuddy.stock.inventory.warehouses.warehouse_cache import WarehouseEntry, WarehouseCache, WarehouseReference
from stockbuddy.stock.ledger import Committer, Ledger, Posting, Reclaim
from stockbuddy.stock.replicas.products.lookup import ProductLookup


@dataclass(frozen=True, slots=True)
class Desk:
    """`key` is the request's idempotency key, if it came with one."""

    caller: Principal
    key: IdempotencyKey | None
    database: Database
    ledger: Ledger
    products: ProductLookup
    warehouses: WarehouseCache

    async def warehouse(self, reference: WarehouseReference | None) -> WarehouseEntry:
        """The warehouse in which the caller wants to change stock; None is the default one.
        Raises UnknownWarehouse, NotYourWarehouse."""
        return await self.warehouses.find_for_writing(reference, self.caller)

    def with_key(self, key: IdempotencyKey | None) -> Self:
        """For one of several documents in a request."""
        return replace(self, key=key)

    async def submit(self, decide: Callable[[], Awaitable[Posting]]) -> Response:
        """The answer to what `decide` makes of the present state (see `Ledger.submit`)."""
        return answered(await self.ledger.submit(self.key, decide))


def opening(reclaim: Reclaim) -> Lifespan:
    """The service's lifespan. `reclaim` gives back stock that is promised to nobody any more."""

    @asynccontextmanager
    async def opened(app: FastAPI) -> AsyncIterator[None]:
        database: Database = app.state.database
        await open_default_warehouse(database)
        app.state.products = ProductLookup(database)
        app.state.warehouses = WarehouseCache(database)
        async with Committer(database, reclaim).running() as committer:
            app.state.ledger = Ledger(database, committer)
            yield

    return opened


async def _come_to_desk(request: Request, caller: Caller) -> Desk:
    state = request.app.state
    key: IdempotencyKey | None = getattr(request.state, "idempotency_key", None)
    return Desk(caller, key, state.database, state.ledger, state.products, state.warehouses)


AtDesk = Annotated[Desk, Depends(_come_to_desk)]
