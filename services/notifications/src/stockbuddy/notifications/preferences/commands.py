"""Changes how a user hears of things."""

from collections.abc import Mapping

from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.chassis.messaging import outbox
from stockbuddy.contracts.notifications import PreferencesChanged
from stockbuddy.notifications.kinds import Kind
from stockbuddy.notifications.preferences import queries
from stockbuddy.notifications.preferences.queries import Wish
from stockbuddy.notifications.preferences.schemas import ChangePreference


async def change_preferences(
    session: AsyncSession, user_id: int, before: Mapping[Kind, Wish], wanted: Mapping[Kind, ChangePreference]
) -> Mapping[Kind, Wish]:
    """The wishes for every kind, after the change; `before` are those of now, locked."""
    after = {**before} | {kind: _changed(before[kind], change) for kind, change in wanted.items()}
    changes = {
        f"{kind}.{way}": {"from": getattr(before[kind], way), "to": getattr(after[kind], way)}
        for kind in wanted
        for way in ("in_app", "email")
        if getattr(before[kind], way) != getattr(after[kind], way)
    }
    if changes:
        await queries.set_wishes(session, user_id, {kind: after[kind] for kind in wanted})
        said = {kind: {"in_app": wish.in_app, "email": wish.email} for kind, wish in after.items()}
        outbox.add(session, PreferencesChanged(user_id=user_id, preferences={**said}, changes=changes))
    return after


def _changed(wish: Wish, change: ChangePreference) -> Wish:
    return Wish(
        in_app=wish.in_app if change.in_app is None else change.in_app,
        email=wish.email if change.email is None else change.email,
    )
