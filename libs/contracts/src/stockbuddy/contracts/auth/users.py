"""Events of user accounts."""

from typing import Any, ClassVar

from stockbuddy.contracts.event import Event


class UserState(Event):
    """A user after the change; `version` increases by one with each change. Never contains a secret.
    `email_confirmed` false: the address may belong to someone else, so it must not receive texts of users."""

    subject_template: ClassVar[str] = "user/{user_id}"
    sequence_field: ClassVar[str | None] = "version"

    user_id: int
    version: int
    username: str
    email: str
    email_confirmed: bool = True
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


class IdentityLinked(Event):
    """The user signed in at an identity provider for the first time; `provider` is its name in the settings."""

    type: ClassVar[str] = "auth.identity.linked"
    subject_template: ClassVar[str] = "user/{user_id}"

    user_id: int
    username: str
    provider: str


class UserPasswordChanged(Event):
    """`method`: `change` (with the old password) or `reset` (with a token sent by e-mail)."""

    type: ClassVar[str] = "auth.user.password_changed"
    subject_template: ClassVar[str] = "user/{user_id}"

    user_id: int
    username: str
    method: str


class PasswordResetRequested(Event):
    """A password reset was requested. `email`: the user's address, or `unknown` if the entered one belongs to no user;
    `email_digest`: keyed digest of the latter, equal for equal addresses."""

    type: ClassVar[str] = "auth.password_reset.requested"
    subject_template: ClassVar[str] = "email/{email}"

    email: str
    email_digest: str | None = None
    user_id: int | None = None
