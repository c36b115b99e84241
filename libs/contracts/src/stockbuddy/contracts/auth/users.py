"""Events of user accounts."""

from typing import Any, ClassVar

from stockbuddy.contracts.auth.logins import UNKNOWN_LOGIN
from stockbuddy.contracts.event import Event
from stockbuddy.contracts.personal_data import PersonalFields


class UserState(Event):
    """A user after the change; `version` increases by one with each change. Never contains a secret.
    `email_confirmed` false: the address may belong to someone else, so it must not receive texts of users."""

    subject_template: ClassVar[str] = "user/{user_id}"
    sequence_field: ClassVar[str | None] = "version"
    personal: ClassVar[tuple[PersonalFields, ...]] = (
        PersonalFields("user/{user_id}", ("username", "email", "pending_email", "full_name")),
    )

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


class UserErased(UserState):
    """The personal data of the user was erased; the state carries neutral values such as `erased-17`. `related`: what
    else held personal data of the user, such as `invitation/3` and `api-key/4`."""

    type: ClassVar[str] = "auth.user.erased"
    personal: ClassVar[tuple[PersonalFields, ...]] = ()

    related: list[str] = []


class IdentityLinked(Event):
    """The user signed in at an identity provider for the first time; `provider` is its name in the settings."""

    type: ClassVar[str] = "auth.identity.linked"
    subject_template: ClassVar[str] = "user/{user_id}"
    personal = (PersonalFields("user/{user_id}", ("username",)),)

    user_id: int
    username: str
    provider: str


class UserPasswordChanged(Event):
    """`method`: `change` (with the old password) or `reset` (with a token sent by e-mail)."""

    type: ClassVar[str] = "auth.user.password_changed"
    subject_template: ClassVar[str] = "user/{user_id}"
    personal = (PersonalFields("user/{user_id}", ("username",)),)

    user_id: int
    username: str
    method: str


class PasswordResetRequested(Event):
    """A password reset was requested. `email`: the user's address, or `unknown` if the entered one belongs to no user;
    `email_digest`: keyed digest of the latter, equal for equal addresses."""

    type: ClassVar[str] = "auth.password_reset.requested"
    subject_template: ClassVar[str] = "password-reset/{user_id}"
    personal = (PersonalFields("user/{user_id}", ("email",)),)

    email: str
    email_digest: str | None = None
    user_id: int | None = None

    def subject(self) -> str:
        return f"password-reset/{UNKNOWN_LOGIN if self.user_id is None else self.user_id}"
