"""The audience of a notification, as one text: `user/5`, `role/manager` or `everyone`; the subject of its events."""

from stockbuddy.chassis.access.roles import Role
from stockbuddy.chassis.http.tokens import Principal

EVERYONE = "everyone"


def user_audience(user_id: int) -> str:
    return f"user/{user_id}"


def role_audience(role: Role | str) -> str:
    return f"role/{role}"


def audiences_for(caller: Principal) -> frozenset[str]:
    """The audiences that a caller belongs to."""
    return frozenset({EVERYONE, role_audience(caller.role), user_audience(caller.user_id)})


def find_user_id(audience: str) -> int | None:
    """The user's id if the audience is one user."""
    kind, _, rest = audience.partition("/")
    return int(rest) if kind == "user" else None


def find_role(audience: str) -> str | None:
    """The role if the audience is a role."""
    kind, _, rest = audience.partition("/")
    return rest if kind == "role" else None
