"""The settings, a table of one row."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import ARRAY, Text
from sqlalchemy.orm import Mapped, mapped_column

from stockbuddy.auth.orm import Base
from stockbuddy.chassis.runtime import clock
from stockbuddy.contracts.auth import SettingsChanged


class SystemSettings(Base):
    __tablename__ = "system_settings"

    id: Mapped[bool] = mapped_column(primary_key=True)
    company_name: Mapped[str]
    currency: Mapped[str]
    timezone: Mapped[str]
    registration_open: Mapped[bool]
    default_low_stock_threshold: Mapped[Decimal]
    alert_emails: Mapped[list[str]] = mapped_column(ARRAY(Text))
    negative_stock: Mapped[str]
    registration_role: Mapped[str]
    second_factor_roles: Mapped[list[str]] = mapped_column(ARRAY(Text))
    version: Mapped[int]
    updated_at: Mapped[datetime]

    def touch(self) -> None:
        """Start a new version after a change."""
        self.version += 1
        self.updated_at = clock.now()

    def to_event(self, changes: dict[str, Any]) -> SettingsChanged:
        return SettingsChanged(
            version=self.version,
            company_name=self.company_name,
            currency=self.currency,
            timezone=self.timezone,
            registration_open=self.registration_open,
            default_low_stock_threshold=self.default_low_stock_threshold,
            alert_emails=self.alert_emails,
            negative_stock=self.negative_stock,
            registration_role=self.registration_role,
            second_factor_roles=self.second_factor_roles,
            changes=changes,
        )
