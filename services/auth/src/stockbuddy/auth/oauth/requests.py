"""Reads a token request: a form, parameters at most once, unknown ones ignored (RFC 6749 §3.2)."""

import base64
import binascii
from dataclasses import dataclass
from typing import Annotated
from urllib.parse import unquote_plus

from fastapi import Depends, Request
from starlette.exceptions import HTTPException

from stockbuddy.auth.logins.schemas import FORM
from stockbuddy.auth.oauth.errors import InvalidClient, InvalidRequest

MOST_PARAMETERS = 20
LONGEST_PARAMETER = 2000


@dataclass(frozen=True, slots=True)
class TokenRequest:
    parameters: dict[str, str]
    client: tuple[str, str] | None
    """The client's id and secret, if it sent them."""

    def required(self, name: str) -> str:
        """An empty parameter counts as left out."""
        value = self.parameters.get(name)
        if not value:
            raise InvalidRequest(f"The parameter {name} is missing.")
        return value


async def read_token_request(request: Request) -> TokenRequest:
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != FORM:
        raise InvalidRequest(f"The body must be a form ({FORM}).")
    try:
        async with request.form(max_fields=MOST_PARAMETERS, max_files=0) as form:
            items = [(name, value) for name, value in form.multi_items() if isinstance(value, str)]
    except HTTPException as error:
        raise InvalidRequest(str(error.detail)) from error
    parameters = dict(items)
    if len(parameters) < len(items):
        raise InvalidRequest("A parameter occurs twice.")
    if any(len(value) > LONGEST_PARAMETER or "\x00" in value for value in parameters.values()):
        raise InvalidRequest("A parameter is too long or holds a character that it may not.")
    return TokenRequest(parameters, _basic_client(request) or _posted_client(parameters))


def _posted_client(parameters: dict[str, str]) -> tuple[str, str] | None:
    if parameters.get("client_id") and parameters.get("client_secret"):
        return parameters["client_id"], parameters["client_secret"]
    return None


def _basic_client(request: Request) -> tuple[str, str] | None:
    """RFC 6749 §2.3.1: both parts are form-encoded before they are put together."""
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
