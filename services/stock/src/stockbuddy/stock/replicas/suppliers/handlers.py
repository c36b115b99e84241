"""What the catalogue says of its suppliers becomes the copy."""

from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.contracts.catalog import SupplierState
from stockbuddy.stock.replicas.signals import ARRIVALS
from stockbuddy.stock.replicas.suppliers.queries import copy_suppliers


async def copy_states(session: AsyncSession, states: Sequence[SupplierState]) -> None:
    await copy_suppliers(session, states)
    ARRIVALS.announce_after_commit(session)
