"""Finds the supplier that a document names, with patience for one that another service has just made."""

import time

from stockbuddy.chassis.postgres.database import Database
from stockbuddy.stock.errors import UnknownSupplier
from stockbuddy.stock.replicas.signals import ARRIVALS
from stockbuddy.stock.replicas.products.lookup import PATIENCE_SECONDS, POLL_SECONDS
from stockbuddy.stock.replicas.suppliers.model import Supplier
from stockbuddy.stock.replicas.suppliers.queries import find_supplier


async def supplier_named(database: Database, supplier_id: int) -> Supplier:
    """Waits at most 2 s for a supplier that is not known yet. Raises UnknownSupplier."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        async with database.reading() as session:
            supplier = await find_supplier(session, supplier_id)
        if supplier is not None and not supplier.deleted:
            return supplier
        remaining = deadline - time.monotonic()
        if supplier is not None or remaining <= 0:
            raise UnknownSupplier()
        await ARRIVALS.wait(min(POLL_SECONDS, remaining))
