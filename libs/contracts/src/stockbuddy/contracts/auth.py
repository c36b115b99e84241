"""Events of identity: who came, who may do what, and what was refused."""

from datetime import datetime
from typing import Any, ClassVar

from stockbuddy.contracts.event import Event
from stockbuddy.contracts.numbers import Quantity


class UserState(Event):
    """A user as they stand after the change; `version` grows by one with each. Never holds a secret."""

    about: ClassVar[str] = "user/{user_id}"
    sequence_field: ClassVar[str | None] = "version"

    user_id: int
    version: int
    username: str
    email: str
    full_name: str | None = None
    role: str
    warehouse_ids: list[int] | None = None
    is_active: bool = True


class UserRegistered(UserState):
    type: ClassVar[str] = "auth.user.registered"


class UserUpdated(UserState):
    """`changes` is `{field: {"from": …, "to": …}}`, as in every event that has them."""

    type: ClassVar[str] = "auth.user.updated"

    changes: dict[str, Any] = {}


class UserLoggedIn(Event):
    """`method` is what they proved themselves by."""

    type: ClassVar[str] = "auth.user.logged_in"
    about: ClassVar[str] = "user/{user_id}"

    user_id: int
    username: str
    session_id: str
    method: str = "password"


class LoginFailed(Event):
    """`login` is what was typed, cut to 100 characters; `user_id` is null when it names nobody."""

    type: ClassVar[str] = "auth.user.login_failed"
    about: ClassVar[str] = "login/{login}"

    login: str
    user_id: int | None = None
    reason: str


class SessionRefreshed(Event):
    type: ClassVar[str] = "auth.session.refreshed"
    about: ClassVar[str] = "session/{session_id}"

    session_id: str
    user_id: int


class SessionRevoked(Event):
    type: ClassVar[str] = "auth.session.revoked"
    about: ClassVar[str] = "session/{session_id}"

    session_id: str
    user_id: int
    reason: str


class SigningKeyRotated(Event):
    """`kid` is the new key, published now; the older ones stay published while their tokens live."""

    type: ClassVar[str] = "auth.signing_key.rotated"
    about: ClassVar[str] = "signing-key/{kid}"

    kid: str
    signs_from: datetime


class UserRoleChanged(UserState):
    """Role or warehouses: what they may do is another thing now."""

    type: ClassVar[str] = "auth.user.role_changed"

    changes: dict[str, Any] = {}


class UserDeactivated(UserState):
    type: ClassVar[str] = "auth.user.deactivated"

    changes: dict[str, Any] = {}


class UserReactivated(UserState):
    type: ClassVar[str] = "auth.user.reactivated"

    changes: dict[str, Any] = {}


class UserLockedOut(Event):
    """Logins of that name (`scope` `login`), or from that address (`address`), or both (`login_at_address`), have to
    wait. `login` is what was typed, cut to 100 characters."""

    type: ClassVar[str] = "auth.user.locked_out"
    about: ClassVar[str] = "login/{login}"

    login: str
    user_id: int | None = None
    scope: str
    failures: int
    seconds: int


class UserPasswordChanged(Event):
    """`method` is `change` (they knew the old one) or `reset` (they could read their e-mail)."""

    type: ClassVar[str] = "auth.user.password_changed"
    about: ClassVar[str] = "user/{user_id}"

    user_id: int
    username: str
    method: str


class PasswordResetRequested(Event):
    """Somebody asked for a reset; whether `email` is a user's was not looked at yet."""

    type: ClassVar[str] = "auth.password_reset.requested"
    about: ClassVar[str] = "email/{email}"

    email: str


class AccessTokenState(Event):
    """An invitation. Never holds the token."""

    about: ClassVar[str] = "access-token/{access_token_id}"

    access_token_id: int
    role: str
    warehouse_ids: list[int] | None = None
    note: str | None = None
    expires_at: datetime


class AccessTokenCreated(AccessTokenState):
    type: ClassVar[str] = "auth.access_token.created"


class AccessTokenUsed(AccessTokenState):
    type: ClassVar[str] = "auth.access_token.used"

    used_by: int


class AccessTokenRevoked(AccessTokenState):
    type: ClassVar[str] = "auth.access_token.revoked"


class ApiKeyState(Event):
    """An API key. Never holds the secret."""

    about: ClassVar[str] = "api-key/{api_key_id}"

    api_key_id: int
    owner_id: int
    name: str
    role: str
    warehouse_ids: list[int] | None = None
    expires_at: datetime | None = None


class ApiKeyCreated(ApiKeyState):
    type: ClassVar[str] = "auth.api_key.created"


class ApiKeyRevoked(ApiKeyState):
    type: ClassVar[str] = "auth.api_key.revoked"

    reason: str


class SettingsChanged(Event):
    """The whole of the system's settings after the change."""

    type: ClassVar[str] = "auth.settings.changed"
    about: ClassVar[str] = "settings/system"
    sequence_field: ClassVar[str | None] = "version"

    version: int
    company_name: str
    currency: str
    timezone: str
    registration_open: bool
    default_low_stock_threshold: Quantity
    alert_emails: list[str]
    negative_stock: str
    changes: dict[str, Any] = {}


class AccessDenied(Event):
    """A 403, of a service or of the gateway. `user_id` is null where it is not known who tried."""

    type: ClassVar[str] = "auth.access.denied"
    about: ClassVar[str] = "service/{service}"

    service: str
    method: str
    path: str
    code: str
    user_id: int | None = None


class ClientAuthenticated(Event):
    """An API key was shown at the OAuth2 token endpoint, as a client's id and secret."""

    type: ClassVar[str] = "auth.api_key.authenticated"
    about: ClassVar[str] = "api-key/{api_key_id}"

    api_key_id: int
    owner_id: int
