"""Events of apps of third parties, and of what users allow them."""

from typing import Any, ClassVar

from stockbuddy.contracts.event import Event
from stockbuddy.contracts.personal_data import PersonalFields


class AppState(Event):
    """An app after the change; `version` increases by one with each change. Never contains the secret."""

    subject_template: ClassVar[str] = "app/{app_id}"
    sequence_field: ClassVar[str | None] = "version"

    app_id: int
    version: int
    name: str
    homepage_url: str | None = None
    is_confidential: bool
    redirect_uris: list[str]
    scopes: list[str]
    allows_device_flow: bool


class AppCreated(AppState):
    type: ClassVar[str] = "auth.app.created"


class AppUpdated(AppState):
    """`changes` has `secret_created_at` if the secret was replaced."""

    type: ClassVar[str] = "auth.app.updated"

    changes: dict[str, Any] = {}


class AppDeleted(AppState):
    """All consents and grants of the app ended with it."""

    type: ClassVar[str] = "auth.app.deleted"


class ConsentState(Event):
    """What a user allows an app. `scopes`: those of this consent."""

    subject_template: ClassVar[str] = "user/{user_id}"
    personal = (PersonalFields("user/{user_id}", ("username",)),)

    app_id: int
    app_name: str
    user_id: int
    username: str
    scopes: list[str]


class ConsentGranted(ConsentState):
    """Published when an app gets scopes from a user that it did not have."""

    type: ClassVar[str] = "auth.consent.granted"


class ConsentWithdrawn(ConsentState):
    """`reason`: `withdrawn` by the user, `user_deactivated`, `user_erased` or `password_changed`."""

    type: ClassVar[str] = "auth.consent.withdrawn"

    reason: str


class AppGrantState(Event):
    """One authorization of an app by a user, on one device."""

    subject_template: ClassVar[str] = "app-grant/{grant_id}"

    grant_id: int
    app_id: int
    user_id: int


class AppGrantCreated(AppGrantState):
    """An app has received tokens that act for a user within `scopes`."""

    type: ClassVar[str] = "auth.app_grant.created"

    scopes: list[str]


class AppGrantEnded(AppGrantState):
    """Its tokens are refused. `reason`: `revoked` by the app, `refresh_token_reused` or `code_reused` (a secret was
    probably stolen), `consent_withdrawn`, `user_deactivated`, `password_changed` or `app_deleted`."""

    type: ClassVar[str] = "auth.app_grant.ended"

    reason: str
