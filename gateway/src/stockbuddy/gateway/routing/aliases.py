"""One spelling for each path: versions, trailing slashes and the aliases that older clients use (never a redirect)."""

from dataclasses import dataclass
from urllib.parse import unquote

BASE = "/api/v1"


@dataclass(frozen=True, slots=True)
class Alias:
    """`{}` stands for any one segment; without a method every method counts; `…/*` takes what follows along."""

    method: str | None
    path: str
    stands_for: str


ALIASES = (
    Alias("POST", "/products/create", "/products"),
    Alias("PUT", "/products/{}/update", "/products/{}"),
    Alias("DELETE", "/products/{}/delete", "/products/{}"),
    Alias("POST", "/sales/create", "/sales"),
    Alias(None, "/dashboard-stats", "/dashboard/stats"),
    Alias(None, "/admin/register", "/auth/admin/register"),
    Alias(None, "/admin/login", "/auth/admin/login"),
    Alias(None, "/salesperson/auth", "/auth/salesperson"),
    Alias(None, "/stores/*", "/warehouses/*"),
)

# Telltale segments: a path whose first and last segments are none of these has no alias. This keeps the table off
# the hot path.
_FIRST = {"dashboard-stats", "admin", "salesperson", "stores"}
_LAST = {"create", "update", "delete"}


def canonical_path(method: str, raw_path: str) -> str | None:
    """`/api/products/5/` → `/products/5`, still percent-encoded; None for what is not a path of the API."""
    if raw_path.startswith("/api/v1/"):
        path = raw_path[7:]
    elif raw_path.startswith("/api/"):
        path = raw_path[4:]
    else:
        return None
    if path[-1] == "/":
        path = path[:-1]
    if not path:
        return None
    if ("." in path or "%" in path) and any(unquote(segment) in (".", "..") for segment in path.split("/")):
        return None  # a service behind us might resolve them (RFC 3986 §5.2.4) and so leave the table's prefix
    return _without_alias(method, path)


def _without_alias(method: str, path: str) -> str:
    segments = path.split("/")[1:]
    if segments[0] not in _FIRST and segments[-1] not in _LAST:
        return path
    for alias in ALIASES:
        if alias.method in (None, method) and (target := _rewritten(alias, segments)):
            return target
    return path


def _rewritten(alias: Alias, segments: list[str]) -> str | None:
    pattern = alias.path.split("/")[1:]
    if pattern[-1] == "*":
        if segments[: len(pattern) - 1] != pattern[:-1]:
            return None
        return "/".join([alias.stands_for[:-2], *segments[len(pattern) - 1 :]])
    if len(pattern) != len(segments):
        return None
    if any(mine not in ("{}", theirs) for mine, theirs in zip(pattern, segments, strict=True)):
        return None
    taken = [theirs for mine, theirs in zip(pattern, segments, strict=True) if mine == "{}"]
    return alias.stands_for.format(*taken)
