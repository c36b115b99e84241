"""Queries of apps, consents and grants."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Select, delete, func, or_, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.auth.apps.model import App, AppConsent, AppGrant, AppRefreshToken
from stockbuddy.auth.last_used_queries import last_used_statement, record_times


def select_apps() -> Select[App]:
    return select(App)


async def find_app(session: AsyncSession, app_id: int, *, for_grant: bool = False) -> App | None:
    """`for_grant`: the app is neither changed nor deleted before this transaction ends."""
    lock = {"read": True, "key_share": True} if for_grant else None
    return await session.get(App, app_id, with_for_update=lock, populate_existing=for_grant)


async def lock_app(session: AsyncSession, app_id: int) -> App | None:
    return await session.get(App, app_id, with_for_update=True, populate_existing=True)


async def delete_app(session: AsyncSession, app_id: int) -> None:
    """With its consents, grants and everything that has been issued to it."""
    await session.execute(delete(App).where(App.id == app_id))


async def find_consent(session: AsyncSession, app_id: int, user_id: int) -> AppConsent | None:
    return await session.get(AppConsent, (app_id, user_id))


async def hold_consent(session: AsyncSession, app_id: int, user_id: int) -> AppConsent | None:
    """The consent, which is not withdrawn before this transaction ends."""
    return await session.get(
        AppConsent, (app_id, user_id), with_for_update={"read": True, "key_share": True}, populate_existing=True
    )


_ADD_SCOPES = text("""
    INSERT INTO app_consent (app_id, user_id, scopes, granted_at, updated_at)
    VALUES (:app_id, :user_id, :scopes, :now, :now)
    ON CONFLICT (app_id, user_id) DO UPDATE
    SET scopes = ARRAY(SELECT DISTINCT unnest(app_consent.scopes || excluded.scopes) ORDER BY 1),
        updated_at = excluded.updated_at
""")


async def add_scopes(session: AsyncSession, app_id: int, user_id: int, scopes: Sequence[str], now: datetime) -> None:
    """Add scopes to a consent, which is created if necessary; concurrent calls add up."""
    await session.execute(_ADD_SCOPES, {"app_id": app_id, "user_id": user_id, "scopes": list(scopes), "now": now})


async def delete_consent(session: AsyncSession, app_id: int, user_id: int) -> AppConsent | None:
    """The consent that was deleted. Waits for grants in progress."""
    statement = delete(AppConsent).where(AppConsent.app_id == app_id, AppConsent.user_id == user_id)
    return await session.scalar(statement.returning(AppConsent))


async def delete_consents_of(session: AsyncSession, user_id: int) -> Sequence[AppConsent]:
    statement = delete(AppConsent).where(AppConsent.user_id == user_id).returning(AppConsent)
    return sorted(await session.scalars(statement), key=lambda consent: consent.app_id)


async def list_consents(session: AsyncSession, user_id: int) -> Sequence[Any]:
    """Rows of a consent, its app and the last use of any of its grants; the newest first."""
    last_used_at = (
        select(func.max(AppGrant.last_used_at))
        .where(AppGrant.app_id == AppConsent.app_id, AppGrant.user_id == AppConsent.user_id)
        .correlate(AppConsent)
        .scalar_subquery()
    )
    statement = (
        select(AppConsent, App, last_used_at.label("last_used_at"))
        .join(App, App.id == AppConsent.app_id)
        .where(AppConsent.user_id == user_id)
        .order_by(AppConsent.granted_at.desc(), App.id.desc())
    )
    return (await session.execute(statement)).all()


async def find_grant(session: AsyncSession, grant_id: int) -> AppGrant | None:
    return await session.get(AppGrant, grant_id)


async def lock_grant(session: AsyncSession, grant_id: int) -> AppGrant | None:
    return await session.get(AppGrant, grant_id, with_for_update=True, populate_existing=True)


async def lock_active_grants(
    session: AsyncSession, *, app_id: int | None = None, user_id: int | None = None
) -> Sequence[AppGrant]:
    """Grants that have not ended, of the app, of the user or of both, locked in the order of their ids."""
    statement = select(AppGrant).where(
        AppGrant.ended_at.is_(None),
        *(() if app_id is None else (AppGrant.app_id == app_id,)),
        *(() if user_id is None else (AppGrant.user_id == user_id,)),
    )
    ordered = statement.order_by(AppGrant.id).with_for_update().execution_options(populate_existing=True)
    return (await session.scalars(ordered)).all()


async def find_grant_id(session: AsyncSession, digest: bytes) -> int | None:
    """The grant of a refresh token, used or not."""
    return await session.scalar(select(AppRefreshToken.grant_id).where(AppRefreshToken.digest == digest))


async def is_unused_refresh_token(session: AsyncSession, digest: bytes) -> bool:
    statement = select(AppRefreshToken.used_at.is_(None)).where(AppRefreshToken.digest == digest)
    return bool(await session.scalar(statement))


async def use_refresh_token(session: AsyncSession, digest: bytes, now: datetime) -> bool:
    """False if the token was used before."""
    used = await session.execute(
        update(AppRefreshToken)
        .where(AppRefreshToken.digest == digest, AppRefreshToken.used_at.is_(None))
        .values(used_at=now)
        .returning(AppRefreshToken.digest)
    )
    return used.first() is not None


_RECORD_LAST_USED = last_used_statement("app_grant", id_type="bigint", ended="ended_at")


async def record_last_used(session: AsyncSession, times: Mapping[int, datetime]) -> None:
    """Update `last_used_at` of the grants with these ids."""
    await record_times(session, _RECORD_LAST_USED, times)


async def delete_expired(session: AsyncSession, *, before: datetime) -> None:
    """Delete grants that ended or expired before that time, with their refresh tokens."""
    await session.execute(delete(AppGrant).where(or_(AppGrant.ended_at < before, AppGrant.expires_at < before)))
