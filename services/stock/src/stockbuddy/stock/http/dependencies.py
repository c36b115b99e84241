"""The services that stock's lifespan opens, and the dependencies through which routes receive them."""

from dataclasses import dataclass
from typing import Annotated, cast

from fastapi import Depends, Request

from stockbuddy.chassis.http.authentication import Caller
from stockbuddy.chassis.http.idempotency import IdempotencyKey
from stockbuddy.chassis.postgres.database import Database
from stockbuddy.stock.inventory.posting_context import PostingContext, ReservationLimits
from stockbuddy.stock.inventory.warehouses.warehouse_cache import WarehouseCache
from stockbuddy.stock.ledger import Ledger
from stockbuddy.stock.replicas.products.lookup import ProductLookup
from stockbuddy.stock.replicas.suppliers import SupplierLookup


@dataclass(frozen=True, slots=True)
class StockServices:
    """Opened once per process; see `app.lifespan`."""

    database: Database
    ledger: Ledger
    products: ProductLookup
    suppliers: SupplierLookup
    warehouses: WarehouseCache
    reservation_limits: ReservationLimits


async def get_services(request: Request) -> StockServices:
    return cast(StockServices, request.app.state.services)


Services = Annotated[StockServices, Depends(get_services)]


async def get_posting_context(request: Request, caller: Caller, services: Services) -> PostingContext:
    key: IdempotencyKey | None = getattr(request.state, "idempotency_key", None)
    return PostingContext(
        caller=caller,
        key=key,
        database=services.database,
        ledger=services.ledger,
        products=services.products,
        suppliers=services.suppliers,
        warehouses=services.warehouses,
        reservation_limits=services.reservation_limits,
    )


PostingContextDep = Annotated[PostingContext, Depends(get_posting_context)]
