"""Replica of catalog's suppliers."""

from collections.abc import Sequence

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from stockbuddy.chassis.postgres.database import Database, signal_on_commit
from stockbuddy.contracts.catalog import SupplierState
from stockbuddy.stock.errors import UnknownSupplier
from stockbuddy.stock.orm import Base
from stockbuddy.stock.replicas.waiter import REPLICA_UPDATED, ReplicaWaiter


class Supplier(Base):
    __tablename__ = "supplier"

    id: Mapped[int] = mapped_column(primary_key=True)
    version: Mapped[int]
    name: Mapped[str]
    contact_email: Mapped[str | None]
    lead_time_days: Mapped[int | None]
    deleted: Mapped[bool]


_UPSERT = text("""
    INSERT INTO supplier AS s (id, version, name, contact_email, lead_time_days, deleted)
    VALUES (:supplier_id, :version, :name, :contact_email, :lead_time_days, :deleted)
    ON CONFLICT (id) DO UPDATE
        SET version = excluded.version, name = excluded.name, contact_email = excluded.contact_email,
            lead_time_days = excluded.lead_time_days, deleted = excluded.deleted
        WHERE s.version < excluded.version
""")


async def replicate_suppliers(session: AsyncSession, states: Sequence[SupplierState]) -> None:
    """Apply supplier events; the state with the highest version wins."""
    # All transactions lock suppliers in the order of their ids, so that two batches cannot deadlock.
    ordered = sorted(states, key=lambda state: (state.supplier_id, state.version))
    await session.execute(_UPSERT, [state.model_dump() for state in ordered])
    signal_on_commit(session, REPLICA_UPDATED)


class SupplierLookup:
    """Waits up to 2 s for a supplier that does not exist yet, because its event may still be on its way. `session`: see
    `ProductLookup`."""

    def __init__(self, database: Database, waiter: ReplicaWaiter) -> None:
        self._database = database
        self._waiter = waiter

    async def load(self, supplier_id: int, *, session: AsyncSession | None = None) -> Supplier:
        """Raises UnknownSupplier, also for a deleted supplier."""
        supplier = await self._waiter.fetch_until(
            lambda found: found is not None, lambda: self._fetch(supplier_id, session)
        )
        if supplier is None or supplier.deleted:
            raise UnknownSupplier()
        return supplier

    async def _fetch(self, supplier_id: int, session: AsyncSession | None) -> Supplier | None:
        if session is not None:
            return await session.get(Supplier, supplier_id, populate_existing=True)
        async with self._database.reading() as reading:
            return await reading.get(Supplier, supplier_id)
