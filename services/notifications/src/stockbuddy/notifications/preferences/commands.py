"""Updates a user's channel preferences."""

from dataclasses import asdict, replace

from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.chassis.http.etags import require_match
from stockbuddy.chassis.messaging import outbox
from stockbuddy.contracts.notifications import PreferencesChanged
from stockbuddy.notifications.preferences import queries
from stockbuddy.notifications.preferences.queries import Preferences
from stockbuddy.notifications.preferences.schemas import PreferencesUpdate, to_etag


async def update_preferences(
    session: AsyncSession, user_id: int, update: PreferencesUpdate, *, if_match: str | None
) -> Preferences:
    """The preferences for every kind after the update. Raises PreconditionFailed."""
    before = await queries.lock_preferences(session, user_id)
    require_match(if_match, to_etag(before))
    updated = {kind: replace(before[kind], **change.sent_fields()) for kind, change in update.root.items()}
    after = {**before, **updated}
    changes = {
        f"{kind}.{channel}": {"from": getattr(before[kind], channel), "to": getattr(after[kind], channel)}
        for kind in updated
        for channel in ("in_app", "email")
        if getattr(before[kind], channel) != getattr(after[kind], channel)
    }
    if changes:
        await queries.upsert_preferences(session, user_id, updated)
        preferences = {kind: asdict(channels) for kind, channels in after.items()}
        outbox.add(session, PreferencesChanged(user_id=user_id, preferences={**preferences}, changes=changes))
    return after
