"""The one row of settings."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import ARRAY, Boolean, DateTime, Integer, Numeric, Text
from sqlalchemy.orm import Mapped, mapped_column

from stockbuddy.auth.orm import Record
from stockbuddy.contracts.auth import SettingsChanged


class SystemSettings(Record):
    __tablename__ = "system_settings"

    id: Mapped[bool] = mapped_column(Boolean, primary_key=True)
    company_name: Mapped[str] = mapped_column(Text)
    currency: Mapped[str] = mapped_column(Text)
    timezone: Mapped[str] = mapped_column(Text)
    registration_open: Mapped[bool] = mapped_column(Boolean)
    default_low_stock_threshold: Mapped[Decimal] = mapped_column(Numeric(15, 3))
    alert_emails: Mapped[list[str]] = mapped_column(ARRAY(Text))
    negative_stock: Mapped[str] = mapped_column(Text)
    version: Mapped[int] = mapped_column(Integer)
    updated_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))

    def touch(self) -> None:
        self.version += 1
        self.updated_at = datetime.now(UTC)

    def said(self, changes: dict[str, Any]) -> SettingsChanged:
        return SettingsChanged(
            version=self.version,
            company_name=self.company_name,
            currency=self.currency,
            timezone=self.timezone,
            registration_open=self.registration_open,
            default_low_stock_threshold=self.default_low_stock_threshold,
            alert_emails=self.alert_emails,
            negative_stock=self.negative_stock,
            changes=changes,
        )
