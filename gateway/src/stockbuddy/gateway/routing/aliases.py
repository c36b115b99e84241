"""Paths of older clients, rewritten to the canonical path without a redirect."""

from stockbuddy.gateway.routing.patterns import PathTable, split_path

ALIASES = (
    ("POST", "/products/create", "/products"),
    ("PUT", "/products/{}/update", "/products/{}"),
    ("DELETE", "/products/{}/delete", "/products/{}"),
    ("POST", "/sales/create", "/sales"),
    (None, "/dashboard-stats", "/dashboard/stats"),
    (None, "/admin/register", "/auth/admin/register"),
    (None, "/admin/login", "/auth/admin/login"),
    (None, "/salesperson/auth", "/auth/salesperson"),
    (None, "/auth/access-tokens/*", "/auth/invitations/*"),
    (None, "/stores/*", "/warehouses/*"),
)
"""Method or None for all, alias, canonical path: in the notation of `PathPattern`, without `/api/v1`."""

_TABLE = PathTable(ALIASES)


def resolve_alias(method: str, path: str, segments: list[str]) -> tuple[str, list[str]]:
    """The canonical path and its segments; `path` itself if it is no alias."""
    found = _TABLE.find(method, segments)
    if found is None:
        return path, segments
    pattern, target = found
    path = pattern.expand(target, segments)
    return path, split_path(path)
