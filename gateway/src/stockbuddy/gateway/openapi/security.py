"""The credentials that the gateway accepts, as security schemes of the OpenAPI document."""

from typing import Any

from stockbuddy.chassis.access.permissions import Permission
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
    "app": {
        "type": "oauth2",
        "description": (
            "The access tokens of an app of a third party that its user has authorized (RFC 6749 with PKCE, RFC 7636): "
            "they act for the user within the scopes, which are names of permissions. Admins register apps with "
            "`POST /oauth/clients`; `/.well-known/oauth-authorization-server` has the endpoints, also those of the "
            "device flow. Personal operations reject these tokens with 403 `interactive_only`."
        ),
        "flows": {
            "authorizationCode": {
                "authorizationUrl": f"{BASE}/oauth/authorize",
                "tokenUrl": _TOKEN_URL,
                "refreshUrl": _TOKEN_URL,
                "scopes": {permission.value: permission.description for permission in Permission},
            }
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


def security_of(method: str, auth: Auth, permission: str, *, is_interactive: bool) -> list[dict[str, list[str]]]:
    """The alternatives for an operation. `permission`: its `x-permission`. `is_interactive`: API keys and apps are
    rejected."""
    if auth is Auth.PUBLIC:
        return []
    scopes = [] if permission in _SENTENCES else permission.split()
    alternatives: list[dict[str, list[str]]] = [{"bearer": []}, {"oauth2": []}]
    if not is_interactive:
        alternatives += [{"app": scopes}, {"apiKey": []}]
    alternatives.append({"session": []} if method == "get" else {"session": [], "csrf": []})
    return [{}, *alternatives] if auth is Auth.OPTIONAL else alternatives


def permission_sentence(permission: str, *, is_interactive: bool) -> str:
    limit = " Not with an API key or by an app." if is_interactive else ""
    names = " and ".join(f"`{name}`" for name in permission.split())
    return f"**Permission:** {_SENTENCES.get(permission, f'{names}.')}{limit}"
