"""Requests and responses of passkeys."""

from datetime import datetime
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from stockbuddy.auth.fields import MAX_TOKEN_LENGTH, Name
from stockbuddy.chassis.fields import RequestBody


class PasskeyCreate(RequestBody):
    """The registration of a passkey."""

    challenge: Annotated[
        str,
        StringConstraints(min_length=1, max_length=MAX_TOKEN_LENGTH),
        Field(description="The `challenge` of `POST /auth/passkeys/options`."),
    ]
    passkey: Annotated[
        dict[str, Any],
        Field(description="What `navigator.credentials.create` returned, as `toJSON()` serialises it."),
    ]
    name: Annotated[
        Name, Field(description="By which the user recognises the device, such as `phone`; at most 100 characters.")
    ]


class PasskeyOptionsResponse(BaseModel):
    """A started registration."""

    challenge: Annotated[str, Field(description="Names the registration; send it back. Valid once, for five minutes.")]
    options: Annotated[
        dict[str, Any],
        Field(description="For `PublicKeyCredential.parseCreationOptionsFromJSON` and `navigator.credentials.create`."),
    ]


class PasskeyResponse(BaseModel):
    """A passkey or security key."""

    model_config = ConfigDict(from_attributes=True)

    id: Annotated[int, Field(description="Identifies the passkey when it is removed.")]
    name: Annotated[str, Field(description="By which the user recognises the device.")]
    is_backed_up: Annotated[bool, Field(description="Whether it is synchronised to the user's other devices.")]
    created_at: Annotated[datetime, Field(description="When it was registered, in UTC.")]
    last_used_at: Annotated[
        datetime | None, Field(description="When it last logged in or proved an identity, in UTC; null: never.")
    ]
    disabled_at: Annotated[
        datetime | None,
        Field(description="When a copy of it was used, in UTC: since then it is rejected; null: it is usable."),
    ]


class PasskeyCreatedResponse(PasskeyResponse):
    """A new passkey."""

    recovery_codes: Annotated[
        list[str],
        Field(description="Returned only here, with the user's first second factor: keep them in a safe place."),
    ]


class PasskeyList(BaseModel):
    """The user's passkeys."""

    items: Annotated[list[PasskeyResponse], Field(description="Oldest first.")]
