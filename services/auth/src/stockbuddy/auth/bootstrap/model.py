"""The one row that the making of the first admin is decided by."""

from datetime import datetime

from sqlalchemy import Boolean, DateTime, LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from stockbuddy.auth.orm import Record


class Setup(Record):
    """`token_digest` is null until the first start has made a setup token."""

    __tablename__ = "setup"

    id: Mapped[bool] = mapped_column(Boolean, primary_key=True)
    token_digest: Mapped[bytes | None] = mapped_column(LargeBinary)
    made_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
