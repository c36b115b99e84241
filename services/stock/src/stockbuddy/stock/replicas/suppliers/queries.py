"""What is read and written of the supplier copy."""

from collections.abc import Sequence

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.contracts.catalog import SupplierState
from stockbuddy.stock.replicas.suppliers.model import Supplier

_COPY = text("""
    INSERT INTO supplier AS s (id, version, name, contact_email, lead_time_days, deleted)
    VALUES (:id, :version, :name, :contact_email, :lead_time_days, :deleted)
    ON CONFLICT (id) DO UPDATE
        SET version = excluded.version, name = excluded.name, contact_email = excluded.contact_email,
            lead_time_days = excluded.lead_time_days, deleted = excluded.deleted
        WHERE s.version < excluded.version
""")


async def copy_suppliers(session: AsyncSession, states: Sequence[SupplierState]) -> None:
    """The latest state wins, in whatever order they come."""
    ordered = sorted(states, key=lambda state: (state.supplier_id, state.version))
    await session.execute(
        _COPY,
        [
            {
                "id": state.supplier_id,
                "version": state.version,
                "name": state.name,
                "contact_email": state.contact_email,
                "lead_time_days": state.lead_time_days,
                "deleted": state.deleted,
            }
            for state in ordered
        ],
    )


async def find_supplier(session: AsyncSession, supplier_id: int) -> Supplier | None:
    """Deleted ones too."""
    return await session.get(Supplier, supplier_id)
