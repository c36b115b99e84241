"""The queue of e-mails: one row per cause and recipient. Rows of one message have the same `message_id`."""

from datetime import datetime
from typing import Literal

from sqlalchemy import Identity, Integer
from sqlalchemy.orm import Mapped, mapped_column

from stockbuddy.chassis.runtime import clock
from stockbuddy.notifications.orm import Base

EmailState = Literal["pending", "sent", "failed"]


class QueuedEmail(Base):
    __tablename__ = "queued_email"

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    recipient: Mapped[str]
    kind: Mapped[str]
    state: Mapped[str]
    message_id: Mapped[str | None]
    attempts: Mapped[int] = mapped_column(Integer)
    next_attempt_at: Mapped[datetime]
    last_error: Mapped[str | None]
    created_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]

    def retry(self) -> None:
        self.state, self.attempts, self.next_attempt_at = "pending", 0, clock.now()
        self.message_id = self.last_error = self.finished_at = None
