"""Requests and responses of apps and consents."""

from datetime import datetime
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StrictBool, StringConstraints, model_validator

from stockbuddy.auth.apps import redirect_uris
from stockbuddy.auth.fields import Name, Permissions
from stockbuddy.chassis.access.permissions import Permission
from stockbuddy.chassis.fields import NO_CONTROL_CHARACTERS, InvalidValue, Omittable, RequestBody

MAX_REDIRECT_URIS = 20


def _require_https(url: str) -> str:
    if not url.startswith("https://"):
        raise InvalidValue("https_required", "must begin with https://")
    return url


HomepageUrl = Annotated[
    str,
    StringConstraints(strip_whitespace=True, max_length=500, pattern=NO_CONTROL_CHARACTERS),
    AfterValidator(_require_https),
]
RedirectUri = Annotated[
    str,
    StringConstraints(max_length=redirect_uris.MAX_LENGTH),
    AfterValidator(redirect_uris.require_redirect_uri),
]
RedirectUris = Annotated[list[RedirectUri], Field(max_length=MAX_REDIRECT_URIS)]
Scopes = Annotated[Permissions, Field(min_length=1)]


class AppCreate(RequestBody):
    """`is_confidential`: the app can keep a secret, because it runs on a server. `redirect_uris` may be empty if the
    app only uses the device flow."""

    name: Name
    homepage_url: HomepageUrl | None = None
    is_confidential: StrictBool
    redirect_uris: RedirectUris = []
    scopes: Scopes
    allows_device_flow: StrictBool = False

    @model_validator(mode="after")
    def _require_a_flow(self) -> "AppCreate":
        if not self.redirect_uris and not self.allows_device_flow:
            raise ValueError("redirect_uris: give at least one, unless allows_device_flow is true")
        return self


class AppUpdate(RequestBody):
    """Omitted fields keep their value. Whether an app is confidential does not change."""

    name: Omittable[Name]
    homepage_url: Omittable[HomepageUrl | None]
    redirect_uris: Omittable[RedirectUris]
    scopes: Omittable[Scopes]
    allows_device_flow: Omittable[StrictBool]


class AppResponse(BaseModel):
    """An app. `secret_hint`: the last characters of its secret."""

    model_config = ConfigDict(from_attributes=True)

    id: int
    client_id: str
    name: str
    homepage_url: str | None
    is_confidential: bool
    secret_hint: str | None
    secret_created_at: datetime | None
    redirect_uris: list[str]
    scopes: list[Permission]
    allows_device_flow: bool
    version: int
    created_by: int
    created_at: datetime
    updated_at: datetime


class AppSecretResponse(AppResponse):
    """An app with its new secret, which is returned only here; null for a public app."""

    client_secret: str | None


class ConsentResponse(BaseModel):
    """What one has allowed an app. `last_used_at` is accurate to some seconds; null: never used."""

    app_id: int
    client_id: str
    name: str
    homepage_url: str | None
    scopes: list[Permission]
    granted_at: datetime
    last_used_at: datetime | None


class ConsentsResponse(BaseModel):
    """What one has allowed apps."""

    items: list[ConsentResponse]
