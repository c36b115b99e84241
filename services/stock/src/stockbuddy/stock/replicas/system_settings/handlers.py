"""What auth says of the settings becomes their copy."""

from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.contracts.auth import SettingsChanged
from stockbuddy.stock.replicas.system_settings.queries import copy_settings


async def copy_states(session: AsyncSession, states: Sequence[SettingsChanged]) -> None:
    await copy_settings(session, max(states, key=lambda state: state.version))
