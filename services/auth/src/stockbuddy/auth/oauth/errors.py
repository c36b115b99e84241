"""OAuth2's errors: RFC 6749 §5.2's members beside those of our problems."""

from typing import Any, ClassVar

from stockbuddy.chassis.http.errors import Problem


class OAuthError(Problem):
    """The token request failed."""

    status: ClassVar[int] = 400
    code: ClassVar[str] = "invalid_request"

    def __init__(self, detail: str | None = None, **more: Any) -> None:
        headers = {"Cache-Control": "no-store", **more.pop("headers", {})}
        super().__init__(detail, headers=headers, **more)
        self.extra = {"error": self.code, "error_description": self.detail, **self.extra}


class InvalidRequest(OAuthError):
    """The request lacks a parameter, repeats one, or is malformed otherwise."""


class InvalidGrant(OAuthError):
    """The credentials or the refresh token are not valid."""

    code = "invalid_grant"


class InvalidClient(OAuthError):
    """The client's id and secret do not belong together."""

    status = 401
    code = "invalid_client"

    def __init__(self) -> None:
        super().__init__(headers={"WWW-Authenticate": 'Basic realm="stockbuddy"'})


class UnsupportedGrantType(OAuthError):
    """Supported are password, refresh_token and client_credentials."""

    code = "unsupported_grant_type"
