"""Events of API keys."""

from datetime import datetime
from typing import ClassVar

from stockbuddy.contracts.event import Event
from stockbuddy.contracts.personal_data import PersonalFields


class ApiKeyState(Event):
    """An API key. Never contains the secret."""

    subject_template: ClassVar[str] = "api-key/{api_key_id}"
    personal = (PersonalFields("user/{owner_id}", ("name",)),)

    api_key_id: int
    owner_id: int
    name: str
    role: str
    scopes: list[str] | None = None
    networks: list[str] | None = None
    warehouse_ids: list[int] | None = None
    expires_at: datetime | None = None


class ApiKeyCreated(ApiKeyState):
    type: ClassVar[str] = "auth.api_key.created"


class ApiKeyRevoked(ApiKeyState):
    type: ClassVar[str] = "auth.api_key.revoked"

    reason: str


class ApiKeyAuthenticated(Event):
    """An API key was used at the OAuth2 token endpoint, as client id and secret."""

    type: ClassVar[str] = "auth.api_key.authenticated"
    subject_template: ClassVar[str] = "api-key/{api_key_id}"

    api_key_id: int
    owner_id: int
