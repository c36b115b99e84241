"""The table of routes: which service a path belongs to, who may call it, and how much it may send.

A row with a method stands for that one path; a row without one for everything at and under its path. The first row
that fits wins. What is in no row does not exist. Paths here are without `/api/v1`.
"""

from dataclasses import dataclass, replace
from enum import Enum

KIBIBYTE = 1024
MEBIBYTE = 1024 * KIBIBYTE


class Who(Enum):
    CALLERS = "callers"
    """Valid credentials are needed."""
    ANYONE = "anyone"
    """No credentials are needed; a bearer token that is there is passed on as it is."""
    ANYONE_KNOWN_OR_NOT = "anyone, known or not"
    """No credentials are needed, but those that are there must be valid."""


@dataclass(frozen=True, slots=True)
class Route:
    """`login`: guessing passwords is slowed; `endless`: answers last until the client leaves or its session ends."""

    path: str
    service: str
    who: Who = Who.CALLERS
    method: str | None = None
    body_bytes: int = MEBIBYTE
    login: bool = False
    endless: bool = False


def _public(path: str, *, who: Who = Who.ANYONE) -> Route:
    return Route(path, "auth", who, "POST", body_bytes=64 * KIBIBYTE)


def _login(path: str) -> Route:
    return replace(_public(path), login=True)


def _upload(method: str, path: str) -> Route:
    return Route(path, "catalog", method=method, body_bytes=10 * MEBIBYTE)


ROUTES = (
    _public("/auth/register"),
    _login("/auth/login"),
    _login("/auth/login-json"),
    _login("/auth/token"),
    _public("/auth/refresh"),
    _login("/auth/password/forgot"),
    _public("/auth/password/reset"),
    _public("/auth/admin/register", who=Who.ANYONE_KNOWN_OR_NOT),
    _login("/auth/admin/login"),
    _login("/auth/salesperson"),
    _login("/auth/session"),
    Route("/auth", "auth"),
    Route("/users", "auth"),
    Route("/system-settings", "auth"),
    _upload("POST", "/products/import"),
    _upload("PUT", "/products/{}/image"),
    Route("/products", "catalog"),
    Route("/categories", "catalog"),
    Route("/suppliers", "catalog"),
    Route("/imports", "catalog"),
    Route("/stock-movements", "stock"),
    Route("/stock-levels", "stock"),
    Route("/warehouses", "stock"),
    Route("/stock-transfers", "stock"),
    Route("/reservations", "stock"),
    Route("/sales", "stock"),
    Route("/customers", "stock"),
    Route("/purchase-orders", "stock"),
    Route("/expenses", "stock"),
    Route("/stock-counts", "stock"),
    Route("/reorder-suggestions", "stock"),
    Route("/reorder-rules", "stock"),
    Route("/forecasts", "stock"),
    Route("/reports", "stock"),
    Route("/dashboard", "stock"),
    Route("/stock", "stock"),
    Route("/notifications", "notifications"),
    Route("/notification-preferences", "notifications"),
    Route("/stream", "notifications", endless=True),
    Route("/ws", "notifications", endless=True),
    Route("/webhooks", "notifications"),
    Route("/events", "notifications"),
    Route("/audit-logs", "notifications"),
)

KEY_SET_PATH = "/.well-known/jwks.json"
KEY_SET = Route(KEY_SET_PATH, "auth", Who.ANYONE)
"""The one path of a service that is not under `/api/v1`."""

SERVICES = tuple(dict.fromkeys(route.service for route in ROUTES))

_BY_FIRST_SEGMENT: dict[str, list[tuple[list[str], Route]]] = {}
for _route in ROUTES:
    _segments = _route.path.split("/")[1:]
    _BY_FIRST_SEGMENT.setdefault(_segments[0], []).append((_segments, _route))


def find_route(method: str, path: str) -> Route | None:
    """The row for a canonical path without `/api/v1`, as `/products/5`."""
    segments = path.split("/")[1:]
    for own, route in _BY_FIRST_SEGMENT.get(segments[0], ()):
        if _fits(route, own, method, segments):
            return route
    return None


def _fits(route: Route, own: list[str], method: str, segments: list[str]) -> bool:
    if route.method is None:
        return segments[: len(own)] == own
    return (
        route.method == method
        and len(segments) == len(own)
        and all(mine in ("{}", theirs) for mine, theirs in zip(own, segments, strict=True))
    )
