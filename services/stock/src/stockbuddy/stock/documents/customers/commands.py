"""Creates, updates, deletes and erases customers."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.chassis.messaging import outbox
from stockbuddy.contracts.personal_data import neutral_name
from stockbuddy.contracts.stock import CustomerCreated, CustomerDeleted, CustomerErased, CustomerState, CustomerUpdated
from stockbuddy.stock.documents.customers.model import Customer
from stockbuddy.stock.documents.sales.erasure_queries import erase_customer_from_sales


async def create_customer(session: AsyncSession, values: dict[str, Any]) -> Customer:
    customer = Customer(**values)
    session.add(customer)
    await session.flush()
    await session.refresh(customer)
    outbox.add(session, _to_event(CustomerCreated, customer))
    return customer


async def update_customer(session: AsyncSession, customer: Customer, changes: dict[str, Any]) -> None:
    customer.update_fields(changes)
    outbox.add(session, _to_event(CustomerUpdated, customer))


async def delete_customer(session: AsyncSession, customer: Customer) -> None:
    """The customer's sales remain, without a customer."""
    await session.delete(customer)
    customer.version += 1
    outbox.add(session, _to_event(CustomerDeleted, customer))


async def erase_customer(session: AsyncSession, customer: Customer) -> None:
    """Erase the personal data of a locked customer, here and in their sales; its event lets every service erase its
    copies. A customer that is erased already stays as it is."""
    if customer.erased_at is not None:
        return
    erased = dict.fromkeys(("email", "phone", "address", "notes"))
    customer.update_fields({"name": neutral_name(customer.id), **erased, "erased_at": datetime.now(UTC)})
    await session.flush()
    await erase_customer_from_sales(session, customer.id)
    outbox.add(session, _to_event(CustomerErased, customer))


def _to_event(event: type[CustomerState], customer: Customer) -> CustomerState:
    return event(
        customer_id=customer.id,
        version=customer.version,
        name=customer.name,
        email=customer.email,
        phone=customer.phone,
        address=customer.address,
        notes=customer.notes,
    )
