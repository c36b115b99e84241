"""Changes the settings, and tells every service the whole of them."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.auth.system_settings.model import SystemSettings
from stockbuddy.chassis.messaging import outbox


async def change_settings(session: AsyncSession, settings: SystemSettings, changes: Mapping[str, Any]) -> None:
    """`settings` are locked. What is as it was changes nothing and is not told."""
    changed = {name: value for name, value in changes.items() if getattr(settings, name) != value}
    if not changed:
        return
    told = {name: {"from": _plain(getattr(settings, name)), "to": _plain(value)} for name, value in changed.items()}
    for name, value in changed.items():
        setattr(settings, name, value)
    settings.touch()
    outbox.add(session, settings.said(told))


def _plain(value: Any) -> Any:
    return str(value.normalize()) if isinstance(value, Decimal) else value
