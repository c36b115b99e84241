"""Events of logins and denied requests."""

from typing import ClassVar

from stockbuddy.contracts.event import Event


class UserLoggedIn(Event):
    """`method` is what they proved themselves by."""

    type: ClassVar[str] = "auth.user.logged_in"
    subject_template: ClassVar[str] = "user/{user_id}"

    user_id: int
    username: str
    session_id: str
    method: str = "password"


class LoginFailed(Event):
    """`login` is what was typed, cut to 100 characters; `user_id` is null when it names nobody."""

    type: ClassVar[str] = "auth.user.login_failed"
    subject_template: ClassVar[str] = "login/{login}"

    login: str
    user_id: int | None = None
    reason: str


class UserLockedOut(Event):
    """Logins of that name (`scope` `login`), or from that address (`address`), or both (`login_at_address`), have to
    wait. `login` is what was typed, cut to 100 characters."""

    type: ClassVar[str] = "auth.user.locked_out"
    subject_template: ClassVar[str] = "login/{login}"

    login: str
    user_id: int | None = None
    scope: str
    failures: int
    seconds: int


class AccessDenied(Event):
    """A 403, of a service or of the gateway. `user_id` is null where it is not known who tried."""

    type: ClassVar[str] = "auth.access.denied"
    subject_template: ClassVar[str] = "service/{service}"

    service: str
    method: str
    path: str
    code: str
    user_id: int | None = None
