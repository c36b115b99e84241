"""Events of user accounts."""

from typing import Any, ClassVar

from stockbuddy.contracts.event import Event


class UserState(Event):
    """A user as they stand after the change; `version` grows by one with each. Never holds a secret."""

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
    """`changes` is `{field: {"from": …, "to": …}}`, as in every event that has them."""

    type: ClassVar[str] = "auth.user.updated"

    changes: dict[str, Any] = {}


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


class UserPasswordChanged(Event):
    """`method` is `change` (they knew the old one) or `reset` (they could read their e-mail)."""

    type: ClassVar[str] = "auth.user.password_changed"
    subject_template: ClassVar[str] = "user/{user_id}"

    user_id: int
    username: str
    method: str


class PasswordResetRequested(Event):
    """Somebody asked for a reset; whether `email` is a user's was not looked at yet."""

    type: ClassVar[str] = "auth.password_reset.requested"
    subject_template: ClassVar[str] = "email/{email}"

    email: str
