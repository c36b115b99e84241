"""Events of identity: who came, who may do what, and what was refused."""

from datetime import datetime
from typing import Any, ClassVar

from stockbuddy.contracts.event import Event


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
