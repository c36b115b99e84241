"""Keeps the read copies: whatever happens to a user, the settings, a product or a warehouse, its state arrives here."""

from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.chassis.messaging.bus import Message
from stockbuddy.chassis.messaging.handlers import Handler, decode
from stockbuddy.contracts.auth import SettingsChanged, UserState
from stockbuddy.contracts.catalog import ProductState
from stockbuddy.contracts.event import EVENTS, Event
from stockbuddy.contracts.stock import WarehouseState
from stockbuddy.notifications.replicas import users
from stockbuddy.notifications.replicas.users import Company, Person


async def copy_users(session: AsyncSession, messages: Sequence[Message]) -> None:
    for message in messages:
        user = decode(UserState, message)
        person = Person(
            user.user_id, user.version, user.username, user.email, user.full_name, user.role, user.is_active
        )
        await users.copy_person(session, person)


async def copy_settings(session: AsyncSession, messages: Sequence[Message]) -> None:
    for message in messages:
        settings = decode(SettingsChanged, message)
        company = Company(settings.company_name, tuple(settings.alert_emails))
        await users.copy_company(session, settings.version, company)


async def copy_products(session: AsyncSession, messages: Sequence[Message]) -> None:
    for message in messages:
        product = decode(ProductState, message)
        await users.copy_name(session, product.subject(), product.version, f"{product.name} ({product.sku})")


async def copy_warehouses(session: AsyncSession, messages: Sequence[Message]) -> None:
    for message in messages:
        warehouse = decode(WarehouseState, message)
        await users.copy_name(session, warehouse.subject(), warehouse.version, warehouse.name)


def states_of(state: type[Event], handle: Handler) -> dict[str, Handler]:
    """`handle` for every type whose data is such a state."""
    return {name: handle for name, event in EVENTS.items() if issubclass(event, state)}
