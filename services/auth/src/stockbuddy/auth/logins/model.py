"""Counters of failed logins, and addresses of successful ones."""

from datetime import datetime

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from stockbuddy.auth.orm import Base


class LoginCounter(Base):
    """Failed logins in one scope of `throttle`. `key` contains a keyed digest of the login: it may be a password typed
    by mistake."""

    __tablename__ = "login_counter"

    key: Mapped[bytes] = mapped_column(primary_key=True)
    failures: Mapped[int]
    counted_at: Mapped[datetime]
    blocked_until: Mapped[datetime | None]


class KnownAddress(Base):
    """An address from which a user has logged in."""

    __tablename__ = "known_address"

    user_id: Mapped[int] = mapped_column(ForeignKey("user_account.id"), primary_key=True)
    address: Mapped[str] = mapped_column(primary_key=True)
    last_login_at: Mapped[datetime]


class LoginChallenge(Base):
    """A login whose password was verified and whose second factor is awaited. `with_cookie`: a browser logs in."""

    __tablename__ = "login_challenge"

    digest: Mapped[bytes] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user_account.id"))
    with_cookie: Mapped[bool]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
