"""Erases customers."""

from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.chassis.messaging import outbox
from stockbuddy.chassis.runtime import clock
from stockbuddy.contracts.personal_data import neutral_name
from stockbuddy.contracts.stock import CustomerErased
from stockbuddy.stock.documents.customers.commands import to_event
from stockbuddy.stock.documents.customers.model import Customer
from stockbuddy.stock.documents.persons.erasure_queries import erase_customer_from_sales


async def erase_customer(session: AsyncSession, customer: Customer) -> None:
    """Erase the personal data of a locked customer, here and in their sales; its event lets every service erase its
    copies. A customer that is erased already stays as it is."""
    if customer.erased_at is not None:
        return
    erased = dict.fromkeys(("email", "phone", "address", "notes"))
    customer.update_fields({"name": neutral_name(customer.id), **erased, "erased_at": clock.now()})
    await session.flush()
    await erase_customer_from_sales(session, customer.id)
    outbox.add(session, to_event(CustomerErased, customer))
