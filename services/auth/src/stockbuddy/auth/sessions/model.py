"""Login sessions, their refresh tokens and stream tickets, and revocations, which tell the gateway which tokens to
refuse."""

import uuid
from datetime import datetime

from sqlalchemy import ForeignKey, Identity
from sqlalchemy.orm import Mapped, mapped_column

from stockbuddy.auth.orm import Base
from stockbuddy.auth.session_ids import session_sid


class LoginSession(Base):
    """Active until it is ended or expires without use. `token_generation` grows when its access tokens must be refused
    although the session continues, as after a change of role. Browser sessions have a cookie, the others refresh
    tokens; one created by a change of password in a browser has both. `authenticated_at`: when the user last proved
    their identity by any means; `second_factor_at`: with a second factor."""

    __tablename__ = "login_session"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    user_id: Mapped[int] = mapped_column(ForeignKey("user_account.id"))
    token_generation: Mapped[int]
    cookie_digest: Mapped[bytes | None]
    user_agent: Mapped[str | None]
    ip_address: Mapped[str | None]
    created_at: Mapped[datetime]
    last_used_at: Mapped[datetime]
    authenticated_at: Mapped[datetime | None]
    second_factor_at: Mapped[datetime | None]
    expires_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    ended_reason: Mapped[str | None]

    @property
    def sid(self) -> str:
        """The claim `sid` of its access tokens."""
        return session_sid(self.id, self.token_generation)

    def is_active(self, now: datetime) -> bool:
        return self.ended_at is None and now < self.expires_at


class RefreshToken(Base):
    """Valid once: `used_at` is the time of use. Kept as long as its session, so that reuse is detected."""

    __tablename__ = "refresh_token"

    digest: Mapped[bytes] = mapped_column(primary_key=True)
    session_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("login_session.id"))
    created_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class StreamTicket(Base):
    """Stands in for an access token of its session in the URL of one stream, and is deleted by its use."""

    __tablename__ = "stream_ticket"

    digest: Mapped[bytes] = mapped_column(primary_key=True)
    session_id: Mapped[uuid.UUID]
    expires_at: Mapped[datetime]


class Revocation(Base):
    """Access tokens with this `sid` are refused until `needed_until`, when the last of them has expired."""

    __tablename__ = "revocation"

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    sid: Mapped[str]
    needed_until: Mapped[datetime]
