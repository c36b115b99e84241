"""OAuth2 errors: the members of RFC 6749 §5.2, in addition to those of a problem."""

from typing import Annotated, Any, ClassVar

from pydantic import Field

from stockbuddy.chassis.http.errors import Problem


class OAuthError(Problem):
    """The token request failed."""

    status: ClassVar[int] = 400
    code: ClassVar[str] = "invalid_request"
    members = {
        "error": Annotated[str, Field(description="The same as `code`, under the name of RFC 6749.")],
        "error_description": Annotated[str, Field(description="The same as `detail`, under the name of RFC 6749.")],
    }

    def __init__(self, detail: str | None = None, **options: Any) -> None:
        headers = {"Cache-Control": "no-store", **options.pop("headers", {})}
        super().__init__(detail, headers=headers, **options)
        self.extra = {"error": self.code, "error_description": self.detail, **self.extra}


class InvalidRequest(OAuthError):
    """A parameter is missing, repeated or malformed."""


class InvalidGrant(OAuthError):
    """The credentials, the code or the refresh token are invalid."""

    code = "invalid_grant"


class InvalidClient(OAuthError):
    """Invalid client id or client secret."""

    status = 401
    code = "invalid_client"

    def __init__(self) -> None:
        super().__init__(headers={"WWW-Authenticate": 'Basic realm="stockbuddy"'})


class UnsupportedGrantType(OAuthError):
    """This grant type is not supported."""

    code = "unsupported_grant_type"


class UnauthorizedClient(OAuthError):
    """This client may not use this grant type."""

    code = "unauthorized_client"


class InvalidScope(OAuthError):
    """The app may not ask for this scope, or the grant does not have it."""

    code = "invalid_scope"


class AuthorizationPending(OAuthError):
    """The user has not decided yet; poll again after the interval."""

    code = "authorization_pending"


class SlowDown(OAuthError):
    """The device polls too often: the interval has grown by five seconds."""

    code = "slow_down"


class AccessDenied(OAuthError):
    """The user has refused."""

    code = "access_denied"


class ExpiredDeviceCode(OAuthError):
    """The device code has expired; start again."""

    code = "expired_token"
