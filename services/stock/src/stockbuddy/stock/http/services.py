"""The services that stock's lifespan opens and its requests use."""

from dataclasses import dataclass
from typing import Annotated, cast

from fastapi import Depends, Request

from stockbuddy.chassis.postgres.database import Database
from stockbuddy.stock.inventory.posting_context import ReservationLimits
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
