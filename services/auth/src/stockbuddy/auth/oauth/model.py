"""Authorization codes, and authorizations that devices have started."""

from datetime import datetime

from sqlalchemy import ARRAY, ForeignKey, Text
from sqlalchemy.orm import Mapped, mapped_column

from stockbuddy.auth.orm import Base


class AuthorizationCode(Base):
    """Valid once, for its app, redirect URI and code verifier. Kept after its use: if it is used again, it was stolen,
    and its grant ends (RFC 6749 §4.1.2)."""

    __tablename__ = "app_authorization_code"

    digest: Mapped[bytes] = mapped_column(primary_key=True)
    app_id: Mapped[int] = mapped_column(ForeignKey("app.id"))
    user_id: Mapped[int] = mapped_column(ForeignKey("user_account.id"))
    redirect_uri: Mapped[str]
    code_challenge: Mapped[str]
    scopes: Mapped[list[str]] = mapped_column(ARRAY(Text))
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
    grant_id: Mapped[int | None] = mapped_column(ForeignKey("app_grant.id"))


class DeviceAuthorization(Base):
    """Started by a device (RFC 8628), decided by a user in a browser; deleted when the device learns the decision.
    `user_code_digest` is a keyed digest, because the code is short."""

    __tablename__ = "app_device_authorization"

    digest: Mapped[bytes] = mapped_column(primary_key=True)
    user_code_digest: Mapped[bytes]
    app_id: Mapped[int] = mapped_column(ForeignKey("app.id"))
    scopes: Mapped[list[str]] = mapped_column(ARRAY(Text))
    interval_seconds: Mapped[int]
    polled_at: Mapped[datetime | None]
    expires_at: Mapped[datetime]
    user_id: Mapped[int | None] = mapped_column(ForeignKey("user_account.id"))
    is_approved: Mapped[bool | None]
