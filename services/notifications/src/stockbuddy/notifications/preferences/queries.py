"""Channel preferences per user and notification kind, with defaults per kind."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.notifications.kinds import DEFAULT_CHANNELS, Kind

_PREFERENCES = text("SELECT kind, in_app, email FROM preference WHERE user_id = :user_id")
_LOCK = text("SELECT pg_advisory_xact_lock(hashtextextended(:user, 0))")
_UPSERT = text("""
    INSERT INTO preference (user_id, kind, in_app, email) VALUES (:user_id, :kind, :in_app, :email)
    ON CONFLICT (user_id, kind) DO UPDATE SET in_app = excluded.in_app, email = excluded.email
""")


@dataclass(frozen=True)
class ChannelPreference:
    """The channels by which one user receives one kind."""

    in_app: bool
    email: bool


Preferences = Mapping[Kind, ChannelPreference]
"""One user's preferences for every kind."""


async def preferences_of(session: AsyncSession, user_id: int) -> Preferences:
    rows = await session.execute(_PREFERENCES, {"user_id": user_id})
    stored = {row.kind: ChannelPreference(row.in_app, row.email) for row in rows}
    return {
        kind: stored.get(kind, ChannelPreference(default.in_app, default.email))
        for kind, default in DEFAULT_CHANNELS.items()
    }


async def lock_preferences(session: AsyncSession, user_id: int) -> Preferences:
    """Like `preferences_of`. The advisory lock, held until the transaction ends, serialises updates of one user: the
    rows to lock may not exist yet."""
    await session.execute(_LOCK, {"user": f"notifications.preference/{user_id}"})
    return await preferences_of(session, user_id)


async def muted_kinds(session: AsyncSession, user_id: int) -> frozenset[Kind]:
    """The kinds that the user does not want in the app."""
    preferences = await preferences_of(session, user_id)
    return frozenset(kind for kind, channels in preferences.items() if not channels.in_app)


async def upsert_preferences(session: AsyncSession, user_id: int, preferences: Preferences) -> None:
    rows = [{"user_id": user_id, "kind": kind, **asdict(channels)} for kind, channels in preferences.items()]
    if rows:
        await session.execute(_UPSERT, rows)
