"""The account that a login request names, for its rate limit.

The body is parsed as auth parses it. Unreadable bodies have the account "", so malformed logins share one limit.
"""

import base64
import binascii
import json
from urllib.parse import parse_qsl

from starlette.types import Message, Receive

from stockbuddy.chassis.text_keys import case_key
from stockbuddy.gateway.headers import RequestHeaders
from stockbuddy.gateway.proxy.upstream import ClientDisconnected

FORM = b"application/x-www-form-urlencoded"
ACCOUNT_FIELDS = ("username", "email", "client_id", "refresh_token", "challenge")
"""In order of precedence. `challenge`: of a login whose password was verified, in place of the account."""


async def read_body(receive: Receive) -> bytes:
    """Only for routes with a small body limit. Raises ClientDisconnected, or the error of `receive`."""
    body, more = b"", True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnected
        body += message.get("body", b"")
        more = message.get("more_body", False)
    return body


def replay(body: bytes, receive: Receive) -> Receive:
    """A `receive` that returns the body again, and afterwards what `receive` returns."""
    is_replayed = False

    async def receive_again() -> Message:
        nonlocal is_replayed
        if is_replayed:
            return await receive()
        is_replayed = True
        return {"type": "http.request", "body": body, "more_body": False}

    return receive_again


GRANTS_WITHOUT_PASSWORD = {"authorization_code", "refresh_token", "urn:ietf:params:oauth:grant-type:device_code"}
"""Grant types whose secrets cannot be guessed: behind one address there may be many tills, or a site with its users."""


def names_account(body: bytes, headers: RequestHeaders) -> bool:
    """Whether a token request could be used to guess the password of an account, or costs a password hash."""
    return _body_fields(body, headers.parsed.get(b"content-type", b"")).get("grant_type") not in GRANTS_WITHOUT_PASSWORD


def login_key(body: bytes, headers: RequestHeaders) -> str:
    """The account, normalised: spellings that auth treats alike share a limit."""
    fields = _basic_credentials(headers.parsed.get(b"authorization", b""))
    fields |= _body_fields(body, headers.parsed.get(b"content-type", b""))
    values = (fields.get(name) for name in ACCOUNT_FIELDS)
    return next((case_key(str(value).strip()) for value in values if value), "")


def _body_fields(body: bytes, content_type: bytes) -> dict[str, object]:
    if content_type.partition(b";")[0].strip().lower() == FORM:
        return dict(parse_qsl(body.decode("utf-8", "replace")))
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return document if isinstance(document, dict) else {}


def _basic_credentials(authorization: bytes) -> dict[str, object]:
    """An OAuth2 client may send its id there (RFC 6749 §2.3.1)."""
    scheme, _, encoded = authorization.partition(b" ")
    if scheme.lower() != b"basic":
        return {}
    try:
        client_id = base64.b64decode(encoded, validate=True).partition(b":")[0]
    except binascii.Error:
        return {}
    return {"client_id": client_id.decode("utf-8", "replace")}
