"""Preferences as clients see and send them: an object with a member for each kind."""

from pydantic import BaseModel, ConfigDict, RootModel, StrictBool

from stockbuddy.notifications.kinds import Kind


class Preference(BaseModel):
    """How one hears of a kind."""

    in_app: bool
    email: bool


class Preferences(RootModel[dict[Kind, Preference]]):
    """For every kind."""


class ChangePreference(BaseModel):
    """What is left out stays."""

    model_config = ConfigDict(extra="forbid")

    in_app: StrictBool | None = None
    email: StrictBool | None = None


class ChangePreferences(RootModel[dict[Kind, ChangePreference]]):
    """Kinds that are left out stay."""
