"""Creates, updates and deletes customers."""

from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.chassis.messaging import outbox
from stockbuddy.contracts.stock import CustomerCreated, CustomerDeleted, CustomerState, CustomerUpdated
from stockbuddy.stock.documents.customers.model import Customer


async def create_customer(session: AsyncSession, values: dict[str, Any]) -> Customer:
    customer = Customer(**values)
    session.add(customer)
    await session.flush()
    await session.refresh(customer)
    outbox.add(session, to_event(CustomerCreated, customer))
    return customer


async def update_customer(session: AsyncSession, customer: Customer, changes: dict[str, Any]) -> None:
    customer.update_fields(changes)
    outbox.add(session, to_event(CustomerUpdated, customer))


async def delete_customer(session: AsyncSession, customer: Customer) -> None:
    """The customer's sales remain, without a customer."""
    await session.delete(customer)
    customer.version += 1
    outbox.add(session, to_event(CustomerDeleted, customer))


def to_event(event: type[CustomerState], customer: Customer) -> CustomerState:
    """An event with the customer's current state."""
    return event(
        customer_id=customer.id,
        version=customer.version,
        name=customer.name,
        email=customer.email,
        phone=customer.phone,
        address=customer.address,
        notes=customer.notes,
    )
