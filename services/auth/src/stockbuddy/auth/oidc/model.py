"""Started sign-ins, and the identities of users at providers."""

from datetime import datetime

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from stockbuddy.auth.orm import Base


class OidcSignIn(Base):
    """A browser that was sent to a provider. `digest` is that of the parameter `state`, `browser_digest` that of a
    cookie: a code that an attacker puts into another browser is rejected there (login CSRF)."""

    __tablename__ = "oidc_sign_in"

    digest: Mapped[bytes] = mapped_column(primary_key=True)
    provider: Mapped[str]
    browser_digest: Mapped[bytes]
    nonce: Mapped[str]
    encrypted_code_verifier: Mapped[bytes]
    return_to: Mapped[str]
    expires_at: Mapped[datetime]


class OidcIdentity(Base):
    """A user's identity at a provider. `subject` never changes, unlike names and addresses."""

    __tablename__ = "oidc_identity"

    issuer: Mapped[str] = mapped_column(primary_key=True)
    subject: Mapped[str] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user_account.id"))
    created_at: Mapped[datetime]
    last_used_at: Mapped[datetime]
