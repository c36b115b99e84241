"""What commands that post to the ledger need of their request and of the service."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Self

from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.chassis.http.idempotency import IdempotencyKey, StoredResponse
from stockbuddy.chassis.http.tokens import Principal
from stockbuddy.chassis.postgres.database import Database
from stockbuddy.stock.inventory.warehouses.warehouse_cache import WarehouseCache, WarehouseEntry, WarehouseReference
from stockbuddy.stock.ledger import Authority, Ledger, Posting, Purpose, authority_of
from stockbuddy.stock.replicas.products.lookup import ProductLookup
from stockbuddy.stock.replicas.suppliers import SupplierLookup


@dataclass(frozen=True, slots=True)
class ReservationLimits:
    """`max_reserved_share`: see `Authority`."""

    max_seconds: int
    max_reserved_share: Decimal


@dataclass(frozen=True, slots=True)
class PostingContext:
    """The caller, the request's idempotency key (if any), and where to look up products, warehouses and documents."""

    caller: Principal
    key: IdempotencyKey | None
    database: Database
    ledger: Ledger
    products: ProductLookup
    suppliers: SupplierLookup
    warehouses: WarehouseCache
    reservation_limits: ReservationLimits

    def authority(self, purpose: Purpose) -> Authority:
        """The caller's authority for a posting."""
        return authority_of(self.caller, purpose, max_reserved_share=self.reservation_limits.max_reserved_share)

    async def warehouse(
        self, reference: WarehouseReference | None, *, session: AsyncSession | None = None
    ) -> WarehouseEntry:
        """The warehouse whose stock the caller wants to change; None is the default one. `session`: see
        `ProductLookup`. Raises UnknownWarehouse, WarehouseForbidden."""
        return await self.warehouses.load_writable(reference, self.caller, session=session)

    def with_key(self, key: IdempotencyKey | None) -> Self:
        """For one of several documents in a request."""
        return replace(self, key=key)

    async def submit(self, plan: Callable[[], Awaitable[Posting]]) -> StoredResponse:
        """The response to the posting that `plan` makes of the current state (see `Ledger.submit`)."""
        return await self.ledger.submit(self.key, plan)
