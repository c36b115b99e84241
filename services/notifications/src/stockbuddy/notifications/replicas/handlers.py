"""Handlers that keep the data replicas up to date. Events carry whole states, so the newest version is the replica."""

from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.chassis.messaging.handlers import Handler, decode
from stockbuddy.chassis.messaging.message import Message
from stockbuddy.contracts.auth import SettingsChanged, UserState
from stockbuddy.contracts.catalog import ProductState
from stockbuddy.contracts.event import EVENTS, Event
from stockbuddy.contracts.stock import WarehouseState
from stockbuddy.notifications.replicas.company import CompanyReplica, upsert_company
from stockbuddy.notifications.replicas.names import upsert_name
from stockbuddy.notifications.replicas.users import UserReplica, upsert_user


async def upsert_users(session: AsyncSession, messages: Sequence[Message]) -> None:
    for message in messages:
        user = decode(UserState, message)
        replica = UserReplica(
            id=user.user_id,
            version=user.version,
            username=user.username,
            email=user.email,
            email_confirmed=user.email_confirmed,
            full_name=user.full_name,
            role=user.role,
            is_active=user.is_active,
        )
        await upsert_user(session, replica)


async def upsert_settings(session: AsyncSession, messages: Sequence[Message]) -> None:
    for message in messages:
        settings = decode(SettingsChanged, message)
        company = CompanyReplica(settings.company_name, tuple(settings.alert_emails), settings.timezone)
        await upsert_company(session, settings.version, company)


async def upsert_products(session: AsyncSession, messages: Sequence[Message]) -> None:
    for message in messages:
        product = decode(ProductState, message)
        await upsert_name(session, product.subject(), product.version, f"{product.name} ({product.sku})")


async def upsert_warehouses(session: AsyncSession, messages: Sequence[Message]) -> None:
    for message in messages:
        warehouse = decode(WarehouseState, message)
        await upsert_name(session, warehouse.subject(), warehouse.version, warehouse.name)


def handlers_for(state: type[Event], handle: Handler) -> dict[str, Handler]:
    """`handle` for every event type that carries this state."""
    return {name: handle for name, event in EVENTS.items() if issubclass(event, state)}
