"""Events of logins and denied requests."""

from typing import ClassVar

from stockbuddy.contracts.event import Event
from stockbuddy.contracts.personal_data import PersonalFields


class UserLoggedIn(Event):
    """`method`: the credential that was verified. `second_factor`: `totp`, `recovery_code` or `passkey`; null if
    none was required."""

    type: ClassVar[str] = "auth.user.logged_in"
    subject_template: ClassVar[str] = "user/{user_id}"
    personal = (PersonalFields("user/{user_id}", ("username",)),)

    user_id: int
    username: str
    session_id: str
    method: str = "password"
    second_factor: str | None = None


UNKNOWN_LOGIN = "unknown"


def login_subject(user_id: int | None) -> str:
    """The subject of failed logins: by id, because a subject is no personal data."""
    return f"login/{UNKNOWN_LOGIN if user_id is None else user_id}"


class LoginFailed(Event):
    """`login`: the user's name, or `unknown` if the entered text belongs to no user: it may be a password typed by
    mistake. `login_digest`: keyed digest of that text, equal for equal text. Only the first failure in a minute from
    one address for one user and reason is an event (unknown names count together); `repetitions`: how many followed
    the previous event without one of their own."""

    type: ClassVar[str] = "auth.user.login_failed"
    subject_template: ClassVar[str] = "login/{user_id}"
    personal = (PersonalFields("user/{user_id}", ("login",)),)

    login: str
    login_digest: str | None = None
    user_id: int | None = None
    reason: str
    repetitions: int = 0

    def subject(self) -> str:
        return login_subject(self.user_id)


class UserLockedOut(Event):
    """Logins are blocked for `seconds`: for that name (`scope` `login`), from that address (`address`), or for both
    together (`login_at_address`). `login` and `login_digest` as in LoginFailed."""

    type: ClassVar[str] = "auth.user.locked_out"
    subject_template: ClassVar[str] = "login/{user_id}"
    personal = (PersonalFields("user/{user_id}", ("login",)),)

    login: str
    login_digest: str | None = None
    user_id: int | None = None
    scope: str
    failures: int
    seconds: int

    def subject(self) -> str:
        return login_subject(self.user_id)


class AccessDenied(Event):
    """A service or the gateway answered 403: the first one in a minute for that caller, route and code. `user_id`: null
    if the caller is unknown. `repetitions`: how often it happened since the previous event, if the service counts."""

    type: ClassVar[str] = "auth.access.denied"
    subject_template: ClassVar[str] = "service/{service}"

    service: str
    method: str
    path: str
    code: str
    user_id: int | None = None
    repetitions: int = 0
