"""Updates the settings and publishes all of them, so that services can replicate them from one event."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.auth.changes import set_fields
from stockbuddy.auth.system_settings.model import SystemSettings
from stockbuddy.auth.system_settings.queries import lock_settings
from stockbuddy.chassis.access.roles import Role
from stockbuddy.chassis.messaging import outbox


async def update_settings(session: AsyncSession, settings: SystemSettings, fields: Mapping[str, Any]) -> None:
    """`settings` are locked. Without a difference there is neither a new version nor an event."""
    if changes := set_fields(settings, fields):
        settings.touch()
        outbox.add(session, settings.to_event(changes))


async def restrict_registration(session: AsyncSession) -> None:
    """Close registration; users who register once an admin opens it see products and stock only."""
    fields = {"registration_open": False, "registration_role": Role.VIEWER.value}
    await update_settings(session, await lock_settings(session), fields)
