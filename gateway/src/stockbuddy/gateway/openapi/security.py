"""The credentials that the gateway accepts, as security schemes of the OpenAPI document."""

from typing import Any

from stockbuddy.contracts.browser_cookies import SESSION_COOKIE
from stockbuddy.gateway.routing.routes import BASE, Auth

_TOKEN_URL = f"{BASE}/auth/token"

SECURITY_SCHEMES: dict[str, dict[str, Any]] = {
    "bearer": {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "JWT",
        "description": (
            "An access token of `POST /auth/login`: `Authorization: Bearer <access_token>`. It lives `expires_in` "
            "seconds (15 minutes unless the operator changes it); `POST /auth/refresh` gets the next one."
        ),
    },
    "oauth2": {
        "type": "oauth2",
        "description": (
            "The same access tokens through OAuth2 (RFC 6749). A client is an API key: its id and its secret. A token "
            "has the permissions of its user or API key."
        ),
        "flows": {
            "password": {"tokenUrl": _TOKEN_URL, "refreshUrl": _TOKEN_URL, "scopes": {}},
            "clientCredentials": {"tokenUrl": _TOKEN_URL, "scopes": {}},
        },
    },
    "apiKey": {
        "type": "apiKey",
        "in": "header",
        "name": "X-API-Key",
        "description": (
            "A key of `POST /auth/api-keys`, for machines: tills, integrations. It has a role and may have scopes, "
            "warehouses, networks and an expiry; personal operations reject it with 403 `interactive_only`."
        ),
    },
    "session": {
        "type": "apiKey",
        "in": "cookie",
        "name": SESSION_COOKIE,
        "description": "The cookie of `POST /auth/session`, for browsers. Over HTTPS its name begins with `__Host-`.",
    },
    "csrf": {
        "type": "apiKey",
        "in": "header",
        "name": "X-CSRF-Token",
        "description": (
            "Required with the session cookie for every method but GET, HEAD and OPTIONS: the `csrf_token` of `POST"
            " /auth/session`, which the cookie named by `csrf_cookie` repeats. Missing or wrong: 403 `csrf_failed`."
        ),
    },
}
_SENTENCES = {"user": "any user.", "public": "none; the call is public."}


def security_of(method: str, auth: Auth, *, is_interactive: bool) -> list[dict[str, list[str]]]:
    """The alternatives for an operation. `is_interactive`: API keys are rejected. `x-permission` names the
    permissions."""
    if auth is Auth.PUBLIC:
        return []
    names = [["bearer"], ["oauth2"], ["apiKey"], ["session"] if method == "get" else ["session", "csrf"]]
    if is_interactive:
        names.remove(["apiKey"])
    alternatives = [{name: list[str]() for name in group} for group in names]
    return [{}, *alternatives] if auth is Auth.OPTIONAL else alternatives


def permission_sentence(permission: str, *, is_interactive: bool) -> str:
    limit = " Not with an API key." if is_interactive else ""
    names = " and ".join(f"`{name}`" for name in permission.split())
    return f"**Permission:** {_SENTENCES.get(permission, f'{names}.')}{limit}"
