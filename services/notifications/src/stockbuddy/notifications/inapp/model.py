"""In-app notifications: one row per audience, and one row per user who has read it."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Identity, func
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from stockbuddy.notifications.kinds import Kind
from stockbuddy.notifications.orm import Base


@dataclass(frozen=True, slots=True)
class Reader:
    """A user who reads notifications: their audiences, and the kinds that they have muted in the app."""

    user_id: int
    audiences: frozenset[str]
    muted: frozenset[Kind]


class Notification(Base):
    """`about_subject` is the subject of the event that caused it, such as `product/42`. `text_code` and `text_values`
    are those of an `AlertText`; announcements and notifications of earlier releases have none."""

    __tablename__ = "notification"

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    audience: Mapped[str]
    kind: Mapped[str]
    title: Mapped[str]
    body: Mapped[str]
    about_subject: Mapped[str | None]
    text_code: Mapped[str | None]
    text_values: Mapped[dict[str, str]] = mapped_column(JSONB)
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())


class NotificationRead(Base):
    __tablename__ = "notification_read"

    notification_id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(primary_key=True)
    read_at: Mapped[datetime] = mapped_column(server_default=func.now())
