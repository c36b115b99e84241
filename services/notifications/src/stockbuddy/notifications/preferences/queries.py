"""How each user wants to hear of each kind; who has not said so goes by the kind's habit."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.notifications.kinds import HABITS, Kind

_PREFERENCES = text("SELECT kind, in_app, email FROM preference WHERE user_id = :user_id")
_LOCK = text("SELECT pg_advisory_xact_lock(hashtextextended(:user, 0))")
_SET = text("""
    INSERT INTO preference (user_id, kind, in_app, email) VALUES (:user_id, :kind, :in_app, :email)
    ON CONFLICT (user_id, kind) DO UPDATE SET in_app = excluded.in_app, email = excluded.email
""")


@dataclass(frozen=True, slots=True)
class Wish:
    """How one user hears of one kind."""

    in_app: bool
    email: bool


async def wishes_of(session: AsyncSession, user_id: int) -> dict[Kind, Wish]:
    """For every kind."""
    rows = await session.execute(_PREFERENCES, {"user_id": user_id})
    said = {row.kind: Wish(row.in_app, row.email) for row in rows}
    return {kind: said.get(kind, Wish(habit.in_app, habit.email)) for kind, habit in HABITS.items()}


async def lock_wishes(session: AsyncSession, user_id: int) -> dict[Kind, Wish]:
    """For every kind; nobody else changes them until the transaction ends."""
    await session.execute(_LOCK, {"user": f"notifications.preference/{user_id}"})
    return await wishes_of(session, user_id)


async def muted_kinds(session: AsyncSession, user_id: int) -> frozenset[Kind]:
    """What a user does not want to see in the app."""
    return frozenset(kind for kind, wish in (await wishes_of(session, user_id)).items() if not wish.in_app)


async def set_wishes(session: AsyncSession, user_id: int, wishes: Mapping[Kind, Wish]) -> None:
    if wishes:
        await session.execute(
            _SET,
            [
                {"user_id": user_id, "kind": kind, "in_app": wish.in_app, "email": wish.email}
                for kind, wish in wishes.items()
            ],
        )
