"""Events of user accounts."""

from typing import Any, ClassVar

from stockbuddy.contracts.event import Event


class UserState(Event):
    """A user after the change; `version` increases by one with each change. Never contains a secret."""

    subject_template: ClassVar[str] = "user/{user_id}"
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
    """`changes`: `{field: {"from": …, "to": …}}`, as in every event with changes."""

    type: ClassVar[str] = "auth.user.updated"

    changes: dict[str, Any] = {}


class UserRoleChanged(UserState):
    """The user's role or warehouse assignment changed."""

    type: ClassVar[str] = "auth.user.role_changed"

    changes: dict[str, Any] = {}


class UserDeactivated(UserState):
    type: ClassVar[str] = "auth.user.deactivated"

    changes: dict[str, Any] = {}


class UserReactivated(UserState):
    type: ClassVar[str] = "auth.user.reactivated"

    changes: dict[str, Any] = {}


class UserPasswordChanged(Event):
    """`method`: `change` (with the old password) or `reset` (with a token sent by e-mail)."""

    type: ClassVar[str] = "auth.user.password_changed"
    subject_template: ClassVar[str] = "user/{user_id}"

    user_id: int
    username: str
    method: str


class PasswordResetRequested(Event):
    """A password reset was requested; published before looking up whether `email` belongs to a user."""

    type: ClassVar[str] = "auth.password_reset.requested"
    subject_template: ClassVar[str] = "email/{email}"

    email: str
