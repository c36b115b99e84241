"""A signing key as it is stored: the public half plain, the private one sealed."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, DateTime, LargeBinary, Text
from sqlalchemy.orm import Mapped, mapped_column

from stockbuddy.auth.orm import Record


class SigningKey(Record):
    """Signs from `signs_from` until the next key does; published from the moment it exists."""

    __tablename__ = "signing_key"

    kid: Mapped[str] = mapped_column(Text, primary_key=True)
    public_jwk: Mapped[dict[str, Any]] = mapped_column(JSON)
    sealed_private_key: Mapped[bytes] = mapped_column(LargeBinary)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    signs_from: Mapped[datetime] = mapped_column(DateTime(timezone=True))
