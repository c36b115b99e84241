"""The route table: the service that owns a path, the authentication it requires, and the size of its bodies.

A row with a method matches exactly its path; a row without one matches its path and everything below. The first
matching row wins; a path that matches no row does not exist. Paths are without `/api/v1`.
"""

from dataclasses import dataclass, replace
from enum import Enum
from urllib.parse import unquote

from stockbuddy.chassis.access.permissions import Permission
from stockbuddy.gateway.errors import UnknownPath
from stockbuddy.gateway.routing.aliases import resolve_alias
from stockbuddy.gateway.routing.canonical_path import canonical_path
from stockbuddy.gateway.routing.patterns import PathTable, split_path

BASE = "/api/v1"
KIBIBYTE = 1024
MEBIBYTE = 1024 * KIBIBYTE


class Auth(Enum):
    """What a route requires of credentials."""

    REQUIRED = "required"
    PUBLIC = "public"
    """Not checked: a bearer token is forwarded as it is."""
    OPTIONAL = "optional"
    """Not required, but invalid ones are rejected."""


@dataclass(frozen=True, slots=True)
class Route:
    """`login`: requests are also limited per account; with `grants`, only those whose grant type has a password or the
    secret of an API key. `registration`: requests are also limited per address, because each hashes a password, sends
    an e-mail or starts an authorization. `streaming`: responses last until the client disconnects or its session ends.
    `signed`: a request without credentials has a signed URL, which the service verifies; a page has many images, so
    that such requests are limited like those of a caller. `permission`: of a route of the gateway itself; services
    check their own. `personal_data`: the gateway completes the response with what other services store about the
    person."""

    path: str
    service: str
    auth: Auth = Auth.REQUIRED
    method: str | None = None
    max_body_bytes: int = MEBIBYTE
    login: bool = False
    grants: bool = False
    registration: bool = False
    streaming: bool = False
    signed: bool = False
    permission: Permission | None = None
    personal_data: bool = False


NO_ROUTE = Route("unknown", "")
"""Of a request that is not routed yet, or whose path is unknown; its path is the label in metrics."""


def _public(path: str) -> Route:
    return Route(path, "auth", Auth.PUBLIC, "POST", max_body_bytes=64 * KIBIBYTE)


def _login(path: str) -> Route:
    return replace(_public(path), login=True)


def _registration(path: str, *, auth: Auth = Auth.PUBLIC) -> Route:
    return replace(_public(path), auth=auth, registration=True)


def _upload(method: str, path: str) -> Route:
    return Route(path, "catalog", method=method, max_body_bytes=10 * MEBIBYTE)


STATUS_PATH = "/system/status"

ROUTES = (
    _registration("/auth/register"),
    _login("/auth/login"),
    _login("/auth/login-json"),
    _login("/auth/login/second-factor"),
    _login("/auth/login/factors"),
    _login("/auth/login/passkey"),
    _registration("/auth/login/passkey/options"),
    replace(_login("/auth/token"), grants=True),
    _public("/auth/refresh"),
    Route("/auth/setup", "auth", Auth.PUBLIC, "GET"),
    _public("/auth/email/confirm"),
    _login("/auth/password/forgot"),
    _registration("/auth/password/reset"),
    _registration("/auth/admin/register", auth=Auth.OPTIONAL),
    _login("/auth/admin/login"),
    _login("/auth/salesperson"),
    _login("/auth/session"),
    Route("/auth/providers", "auth", Auth.PUBLIC, "GET"),
    *(Route(f"/auth/oidc/{{}}/{step}", "auth", Auth.PUBLIC, "GET") for step in ("start", "callback", "logout")),
    Route(STATUS_PATH, "gateway", permission=Permission.SYSTEM_READ),
    Route("/auth", "auth"),
    Route("/oauth/authorize", "auth", Auth.PUBLIC, "GET"),
    _login("/oauth/authorize"),
    Route("/oauth/device", "auth", Auth.PUBLIC, "GET"),
    _registration("/oauth/device"),
    _login("/oauth/device/confirm"),
    _public("/oauth/revoke"),
    _public("/oauth/introspect"),
    Route("/oauth", "auth"),
    Route("/users/{}/personal-data", "auth", method="GET", personal_data=True),
    Route("/users", "auth"),
    Route("/report-recipients", "auth"),
    Route("/roles", "auth"),
    Route("/permissions", "auth"),
    Route("/views", "auth"),
    Route("/system-settings", "auth"),
    _upload("POST", "/products/import"),
    _upload("POST", "/imports"),
    _upload("PUT", "/products/{}/image"),
    Route("/products/{}/image", "catalog", Auth.OPTIONAL, "GET", signed=True),
    Route("/products/{}/image", "catalog", Auth.OPTIONAL, "HEAD", signed=True),
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
    Route("/customers/{}/personal-data", "stock", method="GET", personal_data=True),
    Route("/customers", "stock"),
    Route("/purchase-orders", "stock"),
    Route("/expenses", "stock"),
    Route("/stock-counts", "stock"),
    Route("/reorder-suggestions", "stock"),
    Route("/reorder-rules", "stock"),
    Route("/forecasts", "stock"),
    Route("/reports", "stock"),
    Route("/report-schedules", "stock"),
    Route("/dashboard", "stock"),
    *(Route(f"/jobs/{service}", service) for service in ("catalog", "stock")),
    Route("/stock", "stock"),
    Route("/notifications", "notifications"),
    Route("/notification-preferences", "notifications"),
    Route("/stream", "notifications", streaming=True),
    Route("/ws", "notifications", streaming=True),
    Route("/webhooks", "notifications"),
    Route("/events", "notifications"),
    Route("/audit-logs/checkpoint-keys", "notifications", Auth.PUBLIC, "GET"),
    Route("/audit-logs", "notifications"),
)

WEBSOCKET_PATH = "/ws"
JWKS_PATH = "/.well-known/jwks.json"
SERVER_METADATA_PATH = "/.well-known/oauth-authorization-server"
WELL_KNOWN = {path: Route(path, "auth", Auth.PUBLIC) for path in (JWKS_PATH, SERVER_METADATA_PATH)}
"""The only paths of a service outside `/api/v1` (RFC 8615)."""

_TABLE = PathTable((route.method, route.path if route.method else route.path + "/*", route) for route in ROUTES)


def find_route(method: str, segments: list[str]) -> Route | None:
    """The route of a canonical path without `/api/v1`, given as its segments."""
    found = _TABLE.find(method, segments)
    return found[1] if found else None


def locate(method: str, path: str) -> tuple[str, Route]:
    """The path of the resource, including `/api/v1`, and its route, for a canonical path. Ignores a trailing slash,
    adds a missing version and resolves aliases; the path stays percent-encoded. Raises UnknownPath."""
    if (route := WELL_KNOWN.get(path.removesuffix("/"))) is not None:
        return route.path, route
    path = _without_base(path)
    path, segments = resolve_alias(method, path, split_path(path))
    if "%" in path:
        # The service decodes the path before it routes it; so must the table, or `%2F` would lead around a row of it.
        segments = split_path(unquote(path))
    found = find_route(method, segments)
    if found is None:
        raise UnknownPath
    return BASE + path, found


def is_websocket_path(raw_path: bytes) -> bool:
    """Whether a request for this path may become a WebSocket."""
    path = canonical_path(raw_path.decode("ascii"))
    try:
        return _without_base(path[path.rindex("/api/") :]) == WEBSOCKET_PATH  # a path prefix may come first
    except (UnknownPath, ValueError):
        return False


def _without_base(path: str) -> str:
    if path.startswith("/api/v1/"):
        path = path[7:]
    elif path.startswith("/api/"):
        path = path[4:]
    else:
        raise UnknownPath
    path = path.removesuffix("/")
    if not path:
        raise UnknownPath
    return path
