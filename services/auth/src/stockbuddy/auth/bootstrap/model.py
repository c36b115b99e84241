"""The bootstrap token, in a table of one row whose lock serialises the registration of the first admin."""

from datetime import datetime

from sqlalchemy.orm import Mapped, mapped_column

from stockbuddy.auth.orm import Base


class BootstrapToken(Base):
    """`digest` is null before the first start and once the token is redeemed."""

    __tablename__ = "bootstrap_token"

    id: Mapped[bool] = mapped_column(primary_key=True)
    digest: Mapped[bytes | None]
    created_at: Mapped[datetime | None]
