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
    """The credentials or the refresh token are invalid."""

    code = "invalid_grant"


class InvalidClient(OAuthError):
    """Invalid client id or client secret."""

    status = 401
    code = "invalid_client"

    def __init__(self) -> None:
        super().__init__(headers={"WWW-Authenticate": 'Basic realm="stockbuddy"'})


class UnsupportedGrantType(OAuthError):
    """Supported grant types: password, refresh_token, client_credentials."""

    code = "unsupported_grant_type"
