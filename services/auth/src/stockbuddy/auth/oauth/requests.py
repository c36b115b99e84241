"""Parses requests of OAuth2 clients: a form, each parameter at most once, unknown ones ignored (RFC 6749 §3.2)."""

import base64
import binascii
from dataclasses import dataclass
from typing import Annotated
from urllib.parse import unquote_plus

from fastapi import Depends, Request
from starlette.exceptions import HTTPException

from stockbuddy.auth.logins.schemas import FORM, media_type
from stockbuddy.auth.oauth.errors import InvalidClient, InvalidRequest

MAX_PARAMETERS = 20
MAX_PARAMETER_LENGTH = 2000


@dataclass(frozen=True, slots=True)
class TokenRequest:
    """`client`: the client's id and secret, if it sent them; `uses_basic`: in the header."""

    parameters: dict[str, str]
    client: tuple[str, str] | None
    uses_basic: bool = False

    @property
    def client_id(self) -> str:
        """With or without a secret; empty if the client did not name itself."""
        return self.client[0] if self.client else self.parameters.get("client_id", "")

    def require(self, name: str) -> str:
        """The value of a parameter. Raises InvalidRequest if it is missing or empty."""
        value = self.parameters.get(name)
        if not value:
            raise InvalidRequest(f"The parameter {name} is missing.")
        return value

    @property
    def scopes(self) -> list[str] | None:
        """The names in the parameter `scope`; None without it."""
        names = self.parameters.get("scope", "").split()
        return names or None


async def read_token_request(request: Request) -> TokenRequest:
    if media_type(request) != FORM:
        raise InvalidRequest(f"The body must be a form ({FORM}).")
    try:
        async with request.form(max_fields=MAX_PARAMETERS, max_files=0) as form:
            items = [(name, value) for name, value in form.multi_items() if isinstance(value, str)]
    except HTTPException as error:
        raise InvalidRequest(str(error.detail)) from error
    parameters = dict(items)
    if len(parameters) < len(items):
        raise InvalidRequest("A parameter is repeated.")
    if any(len(value) > MAX_PARAMETER_LENGTH or "\x00" in value for value in parameters.values()):
        raise InvalidRequest("A parameter is too long or contains a NUL character.")
    client = _client_from_header(request)
    return TokenRequest(parameters, client or _client_from_form(parameters), uses_basic=client is not None)


def _client_from_form(parameters: dict[str, str]) -> tuple[str, str] | None:
    if parameters.get("client_id") and parameters.get("client_secret"):
        return parameters["client_id"], parameters["client_secret"]
    return None


def _client_from_header(request: Request) -> tuple[str, str] | None:
    """RFC 6749 §2.3.1: id and secret are form-encoded before they are joined."""
    scheme, _, credentials = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        decoded = base64.b64decode(credentials, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError) as error:
        raise InvalidClient() from error
    client_id, separator, secret = decoded.partition(":")
    if not separator:
        raise InvalidClient()
    return unquote_plus(client_id), unquote_plus(secret)


TokenForm = Annotated[TokenRequest, Depends(read_token_request)]
