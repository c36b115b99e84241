"""Apps, the consents of users, and the grants with which apps act for them."""

from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import ARRAY, ForeignKey, Identity, Text
from sqlalchemy.orm import Mapped, mapped_column

from stockbuddy.auth.orm import Base
from stockbuddy.auth.session_ids import app_sid
from stockbuddy.contracts.auth import AppState

State = TypeVar("State", bound=AppState)

CLIENT_ID_PREFIX = "app-"
"""Tells the client id of an app from that of an API key, which is a number."""


class App(Base):
    """An OAuth2 client (RFC 6749 §2). A confidential one has a secret, of which a digest is stored, and its last
    characters as a hint. `scopes`: the permissions that it may ask users for. `allows_device_flow`: it may start on a
    device that has no browser."""

    __tablename__ = "app"

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    name: Mapped[str]
    homepage_url: Mapped[str | None]
    is_confidential: Mapped[bool]
    secret_digest: Mapped[bytes | None]
    secret_hint: Mapped[str | None]
    secret_created_at: Mapped[datetime | None]
    redirect_uris: Mapped[list[str]] = mapped_column(ARRAY(Text))
    scopes: Mapped[list[str]] = mapped_column(ARRAY(Text))
    allows_device_flow: Mapped[bool]
    version: Mapped[int]
    created_by: Mapped[int] = mapped_column(ForeignKey("user_account.id"))
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]

    @property
    def client_id(self) -> str:
        return f"{CLIENT_ID_PREFIX}{self.id}"

    def to_event(self, event: type[State], **fields: Any) -> State:
        """An event with the app's state; `fields` are those that the event adds."""
        return event(
            app_id=self.id,
            version=self.version,
            name=self.name,
            homepage_url=self.homepage_url,
            is_confidential=self.is_confidential,
            redirect_uris=self.redirect_uris,
            scopes=self.scopes,
            allows_device_flow=self.allows_device_flow,
            **fields,
        )


class AppConsent(Base):
    """What a user allows an app. `scopes`: everything that the user has consented to so far."""

    __tablename__ = "app_consent"

    app_id: Mapped[int] = mapped_column(ForeignKey("app.id"), primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user_account.id"), primary_key=True)
    scopes: Mapped[list[str]] = mapped_column(ARRAY(Text))
    granted_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class AppGrant(Base):
    """What one authorization gave an app, on one device: its tokens act for the user within `scopes`. Active until it
    is ended or expires without use. `token_generation` grows when its access tokens must be refused although the grant
    continues, as after a change of the user's role."""

    __tablename__ = "app_grant"

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    app_id: Mapped[int] = mapped_column(ForeignKey("app.id"))
    user_id: Mapped[int] = mapped_column(ForeignKey("user_account.id"))
    scopes: Mapped[list[str]] = mapped_column(ARRAY(Text))
    token_generation: Mapped[int]
    created_at: Mapped[datetime]
    last_used_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    ended_reason: Mapped[str | None]

    @property
    def sid(self) -> str:
        """The claim `sid` of its access tokens."""
        return app_sid(self.id, self.token_generation)

    def is_active(self, now: datetime) -> bool:
        return self.ended_at is None and now < self.expires_at


class AppRefreshToken(Base):
    """Valid once: `used_at` is the time of use. Kept as long as its grant, so that reuse is detected."""

    __tablename__ = "app_refresh_token"

    digest: Mapped[bytes] = mapped_column(primary_key=True)
    grant_id: Mapped[int] = mapped_column(ForeignKey("app_grant.id"))
    created_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
