"""Whom a notification is for, as one text: `user/5`, `role/manager` or `everyone`. Events carry it as their subject."""

from stockbuddy.chassis.http.tokens import Principal, Role

EVERYONE = "everyone"


def of_user(user_id: int) -> str:
    return f"user/{user_id}"


def of_role(role: Role | str) -> str:
    return f"role/{role}"


def heard_by(caller: Principal) -> frozenset[str]:
    """The audiences that a caller belongs to."""
    return frozenset({EVERYONE, of_role(caller.role), of_user(caller.user_id)})


def user_of(audience: str) -> int | None:
    kind, _, rest = audience.partition("/")
    return int(rest) if kind == "user" else None


def role_of(audience: str) -> str | None:
    kind, _, rest = audience.partition("/")
    return rest if kind == "role" else None
