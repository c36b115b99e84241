"""What is remembered of logins: failures to count, and addresses that are familiar."""

from datetime import datetime

from sqlalchemy import BigInteger, DateTime, ForeignKey, Integer, LargeBinary, Text
from sqlalchemy.orm import Mapped, mapped_column

from stockbuddy.auth.orm import Record


class LoginThrottle(Record):
    """One count of `throttle`; `key` is a digest, so that no typed password that slipped into a name is kept."""

    __tablename__ = "login_throttle"

    key: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    failures: Mapped[int] = mapped_column(Integer)
    counted_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    blocked_until: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


class KnownAddress(Record):
    """An address that a user has logged in from."""

    __tablename__ = "known_address"

    user_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("user_account.id"), primary_key=True)
    address: Mapped[str] = mapped_column(Text, primary_key=True)
    last_login_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
