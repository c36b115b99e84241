"""Channel preferences as clients see and send them: an object with one member per kind."""

from pydantic import BaseModel, RootModel, StrictBool

from stockbuddy.chassis.fields import Omittable, RequestBody
from stockbuddy.notifications.kinds import KINDS, Kind
from stockbuddy.notifications.preferences.queries import Preferences


class ChannelPreferenceResponse(BaseModel):
    """Whether the user receives a kind in the app and by e-mail."""

    in_app: bool
    email: bool


class PreferencesResponse(RootModel[dict[Kind, ChannelPreferenceResponse]]):
    """The caller's preferences for every kind."""


class ChannelPreferenceUpdate(RequestBody):
    """Absent channels stay unchanged."""

    in_app: Omittable[StrictBool]
    email: Omittable[StrictBool]


class PreferencesUpdate(RootModel[dict[Kind, ChannelPreferenceUpdate]]):
    """Absent kinds stay unchanged."""


def to_etag(preferences: Preferences) -> str:
    """The whole state as a tag: two characters per kind, `x` for an enabled channel."""
    channels = (channel for kind in KINDS for channel in (preferences[kind].in_app, preferences[kind].email))
    return '"' + "".join("x" if is_enabled else "-" for is_enabled in channels) + '"'
