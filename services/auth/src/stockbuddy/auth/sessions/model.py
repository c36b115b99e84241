"""A session and the refresh tokens that prolong it; a revocation tells the gateway what to refuse."""

import uuid
from datetime import datetime

from sqlalchemy import BigInteger, DateTime, ForeignKey, Identity, Integer, LargeBinary, Text, Uuid
from sqlalchemy.orm import Mapped, mapped_column

from stockbuddy.auth.orm import Record
from stockbuddy.auth.session_ids import session_sid


class LoginSession(Record):
    """Opened by a login, alive until it is ended or not used for too long. `generation` grows when its access
    tokens must be refused although it goes on, as after a change of role. A browser's has a cookie instead of
    refresh tokens."""

    __tablename__ = "login_session"

    id: Mapped[uuid.UUID] = mapped_column(Uuid, primary_key=True, default=uuid.uuid4)
    user_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("user_account.id"))
    generation: Mapped[int] = mapped_column(Integer, default=0)
    cookie_digest: Mapped[bytes | None] = mapped_column(LargeBinary)
    user_agent: Mapped[str | None] = mapped_column(Text)
    ip_address: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    last_used_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    expires_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    ended_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    ended_reason: Mapped[str | None] = mapped_column(Text)

    @property
    def sid(self) -> str:
        """What its access tokens carry as `sid`."""
        return session_sid(self.id, self.generation)

    def is_alive(self, now: datetime) -> bool:
        return self.ended_at is None and now < self.expires_at


class RefreshToken(Record):
    """Works once: `used_at` says when. Kept as long as its session, so that a second use is noticed."""

    __tablename__ = "refresh_token"

    digest: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    session_id: Mapped[uuid.UUID] = mapped_column(Uuid, ForeignKey("login_session.id"))
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    used_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


class Revocation(Record):
    """Tokens with this `sid` are to be refused until `needed_until`, when the last of them has expired."""

    __tablename__ = "revocation"

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    sid: Mapped[str] = mapped_column(Text)
    needed_until: Mapped[datetime] = mapped_column(DateTime(timezone=True))
