"""Notifications in the app: kept once for each audience, read by each user for themselves."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.notifications.kinds import Kind
from stockbuddy.notifications.listing import Window


@dataclass(frozen=True, slots=True)
class Reader:
    """Somebody who reads notifications: the audiences they belong to, and the kinds they do not want to see."""

    user_id: int
    audiences: frozenset[str]
    muted: frozenset[Kind]


@dataclass(frozen=True, slots=True)
class Notification:
    """As one reader sees it; `read_at` is theirs."""

    id: int
    audience: str
    kind: Kind
    title: str
    body: str
    about_subject: str | None
    created_at: datetime
    read_at: datetime | None = None


_ADD = text("""
    INSERT INTO notification (audience, kind, title, body, about_subject)
    VALUES (:audience, :kind, :title, :body, :about_subject)
    RETURNING id, created_at
""")
_COLUMNS = "n.id, n.audience, n.kind, n.title, n.body, n.about_subject, n.created_at, r.read_at"
_OF_READER = """
    FROM notification n LEFT JOIN notification_read r ON r.notification_id = n.id AND r.user_id = :user_id
    WHERE n.audience = ANY(:audiences) AND n.kind <> ALL(:muted)
"""
_ONE = text(f"SELECT {_COLUMNS} {_OF_READER} AND n.id = :id")
_MARK_READ = text(f"""
    INSERT INTO notification_read (user_id, notification_id)
    SELECT :user_id, n.id {_OF_READER} AND r.read_at IS NULL AND (CAST(:id AS bigint) IS NULL OR n.id = :id)
    ON CONFLICT (notification_id, user_id) DO NOTHING
    RETURNING notification_id
""")
_MARK_UNREAD = text("""
    DELETE FROM notification_read WHERE user_id = :user_id AND notification_id = :id RETURNING notification_id
""")


async def add_notification(
    session: AsyncSession, audience: str, kind: Kind, title: str, body: str, about_subject: str | None
) -> Notification:
    values = {"audience": audience, "kind": kind, "title": title, "body": body, "about_subject": about_subject}
    row = (await session.execute(_ADD, values)).one()
    return Notification(id=row.id, created_at=row.created_at, **values)  # type: ignore[arg-type]


async def list_notifications(
    session: AsyncSession, reader: Reader, window: Window, *, unread: bool | None, kind: Kind | None
) -> list[Notification]:
    """Newest first."""
    conditions, values = _narrowed(reader, unread, kind)
    rows = await session.execute(
        text(f"SELECT {_COLUMNS} {conditions} {window.clause('n.id')}"), values | window.values
    )
    return [Notification(*row) for row in rows]


async def count_notifications(
    session: AsyncSession, reader: Reader, *, unread: bool | None = None, kind: Kind | None = None
) -> int:
    conditions, values = _narrowed(reader, unread, kind)
    return await session.scalar(text(f"SELECT count(*) {conditions}"), values) or 0


async def find_notification(session: AsyncSession, reader: Reader, notification_id: int) -> Notification | None:
    row = (await session.execute(_ONE, _values(reader) | {"id": notification_id})).one_or_none()
    return Notification(*row) if row else None


async def mark_read(session: AsyncSession, reader: Reader, notification_id: int | None = None) -> Sequence[int]:
    """One notification, or all; the ids of those that were unread."""
    marked = await session.scalars(_MARK_READ, _values(reader) | {"id": notification_id})
    return sorted(marked)


async def mark_unread(session: AsyncSession, reader: Reader, notification_id: int) -> Sequence[int]:
    marked = await session.scalars(_MARK_UNREAD, {"user_id": reader.user_id, "id": notification_id})
    return list(marked)


def _values(reader: Reader) -> dict[str, Any]:
    return {"user_id": reader.user_id, "audiences": sorted(reader.audiences), "muted": sorted(reader.muted)}


def _narrowed(reader: Reader, unread: bool | None, kind: Kind | None) -> tuple[str, dict[str, Any]]:
    conditions, values = _OF_READER, _values(reader)
    if unread is not None:
        conditions += f" AND r.read_at IS {'NULL' if unread else 'NOT NULL'}"
    if kind is not None:
        conditions += " AND n.kind = :kind"
        values["kind"] = kind
    return conditions, values
