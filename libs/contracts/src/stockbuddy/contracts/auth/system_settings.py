"""Events of the company-wide settings."""

from typing import Any, ClassVar

from stockbuddy.contracts.event import Event
from stockbuddy.contracts.numbers import Quantity
from stockbuddy.contracts.personal_data import ADDRESSES, PersonalFields


class SettingsChanged(Event):
    """The company-wide settings after the change."""

    type: ClassVar[str] = "auth.settings.changed"
    subject_template: ClassVar[str] = "settings/system"
    sequence_field: ClassVar[str | None] = "version"
    personal = (PersonalFields(ADDRESSES, ("alert_emails",)),)

    version: int
    company_name: str
    currency: str
    timezone: str
    registration_open: bool
    default_low_stock_threshold: Quantity
    alert_emails: list[str]
    negative_stock: str
    registration_role: str = "salesperson"
    second_factor_roles: list[str] = []
    changes: dict[str, Any] = {}
