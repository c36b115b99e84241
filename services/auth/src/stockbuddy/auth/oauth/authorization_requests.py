"""Authorization requests of apps (RFC 6749 §4.1.1, RFC 7636 §4.3), read from the query.

What concerns the app or the redirect URI is shown to the user. All other errors are sent to the redirect URI, which by
then is known to be the app's (RFC 6749 §4.1.2.1).
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlencode

from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.auth.apps.model import App
from stockbuddy.auth.apps.redirect_uris import is_registered
from stockbuddy.auth.oauth.client_authentication import find_app_by_client_id
from stockbuddy.auth.oauth.codes import CODE_CHALLENGE

MAX_PARAMETERS = 30
MAX_PARAMETER_LENGTH = 2000
PROMPTS = {"none", "login", "consent"}


class RejectedByPage(Exception):
    """The request must not be answered with a redirect. The message is for the user."""


@dataclass(frozen=True, slots=True)
class Target:
    """Where the response goes."""

    app: App
    redirect_uri: str
    state: str | None
    issuer: str

    def location(self, **parameters: str) -> str:
        """The redirect URI with the parameters of a response, `state` and `iss` (RFC 9207)."""
        state = {} if self.state is None else {"state": self.state}
        query = urlencode({**parameters, **state, "iss": self.issuer})
        return f"{self.redirect_uri}{'&' if '?' in self.redirect_uri else '?'}{query}"


class RejectedByRedirect(Exception):
    """The app learns the error. `error` is that of RFC 6749 §4.1.2.1 or of OpenID Connect §3.1.2.6."""

    def __init__(self, target: Target, error: str, description: str) -> None:
        self.location = target.location(error=error, error_description=description)
        super().__init__(description)


@dataclass(frozen=True, slots=True)
class AuthorizationRequest:
    """A valid request. `scopes`: names of permissions, in their order."""

    target: Target
    scopes: list[str]
    code_challenge: str
    prompts: Collection[str]


async def read_authorization_request(session: AsyncSession, query: bytes, issuer: str) -> AuthorizationRequest:
    """Unknown parameters are ignored (RFC 6749 §3.1). Raises RejectedByPage or RejectedByRedirect."""
    parameters, repeated = _parse(query)
    target = await _find_target(session, parameters, repeated, issuer)
    if repeated:
        raise RejectedByRedirect(target, "invalid_request", "A parameter is repeated.")
    _require_code_flow(target, parameters)
    prompts = parameters.get("prompt", "").split()
    if not PROMPTS.issuperset(prompts) or ("none" in prompts and len(prompts) > 1):
        raise RejectedByRedirect(target, "invalid_request", "Supported prompts: none, login, consent.")
    scopes = require_scopes(target.app, parameters.get("scope", "").split())
    if scopes is None:
        raise RejectedByRedirect(target, "invalid_scope", "The app may not ask for this scope.")
    return AuthorizationRequest(target, scopes, parameters["code_challenge"], prompts)


def require_scopes(app: App, names: Sequence[str]) -> list[str] | None:
    """The scopes that are asked for; without names all that the app may ask for. None if one is not among these."""
    if not set(names) <= set(app.scopes):
        return None
    return [scope for scope in app.scopes if not names or scope in names]


def _parse(query: bytes) -> tuple[dict[str, str], set[str]]:
    """The parameters, and the names of repeated ones. Raises RejectedByPage."""
    try:
        items = parse_qsl(query.decode("ascii"), errors="strict", max_num_fields=MAX_PARAMETERS)
    except ValueError as error:
        raise RejectedByPage("The query is malformed.") from error
    if any(len(value) > MAX_PARAMETER_LENGTH or "\x00" in value for _, value in items):
        raise RejectedByPage("A parameter is too long or contains a NUL character.")
    names = [name for name, _ in items]
    return dict(items), {name for name in names if names.count(name) > 1}


async def _find_target(session: AsyncSession, parameters: dict[str, str], repeated: set[str], issuer: str) -> Target:
    """Raises RejectedByPage."""
    if repeated & {"client_id", "redirect_uri", "state"}:
        raise RejectedByPage("A parameter is repeated.")
    app = await find_app_by_client_id(session, parameters.get("client_id", ""))
    if app is None:
        raise RejectedByPage("No app is registered under this client id.")
    redirect_uri = parameters.get("redirect_uri", "")
    if not is_registered(redirect_uri, app.redirect_uris):
        raise RejectedByPage("The app is not registered with this redirect URI.")
    return Target(app, redirect_uri, parameters.get("state"), issuer)


def _require_code_flow(target: Target, parameters: dict[str, str]) -> None:
    """Only codes with PKCE and S256 (RFC 9700 §2.1.1). Raises RejectedByRedirect."""
    if not parameters.get("response_type"):
        raise RejectedByRedirect(target, "invalid_request", "The parameter response_type is missing.")
    if parameters["response_type"] != "code":
        raise RejectedByRedirect(target, "unsupported_response_type", "Supported response type: code.")
    if parameters.get("response_mode", "query") != "query":
        raise RejectedByRedirect(target, "invalid_request", "Supported response mode: query.")
    if not parameters.get("code_challenge"):
        raise RejectedByRedirect(target, "invalid_request", "PKCE is required: code_challenge is missing.")
    if parameters.get("code_challenge_method") != "S256":
        raise RejectedByRedirect(target, "invalid_request", "Supported code_challenge_method: S256.")
    if not CODE_CHALLENGE.fullmatch(parameters["code_challenge"]):
        raise RejectedByRedirect(target, "invalid_request", "The code_challenge is malformed.")
