"""Updates the settings and publishes all of them, so that services can replicate them from one event."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.auth.system_settings.model import SystemSettings
from stockbuddy.auth.system_settings.queries import lock_settings
from stockbuddy.chassis.access.roles import Role
from stockbuddy.chassis.messaging import outbox


async def update_settings(session: AsyncSession, settings: SystemSettings, fields: Mapping[str, Any]) -> None:
    """`settings` are locked. Without a difference there is neither a new version nor an event."""
    changed = {name: value for name, value in fields.items() if getattr(settings, name) != value}
    if not changed:
        return
    changes = {
        name: {"from": _to_json(getattr(settings, name)), "to": _to_json(value)} for name, value in changed.items()
    }
    for name, value in changed.items():
        setattr(settings, name, value)
    settings.touch()
    outbox.add(session, settings.to_event(changes))


async def restrict_registration(session: AsyncSession) -> None:
    """Close registration; users who register once an admin opens it see products and stock only."""
    fields = {"registration_open": False, "registration_role": Role.VIEWER.value}
    await update_settings(session, await lock_settings(session), fields)


def _to_json(value: Any) -> Any:
    return str(value.normalize()) if isinstance(value, Decimal) else value
