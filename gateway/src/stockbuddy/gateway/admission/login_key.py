"""Whose password a login tries: what is counted, together with the address, when guessing is slowed down.

Reads a body as auth will. What can't be read has the account "", which all malformed attempts from an address share.
"""

import base64
import binascii
import json
from urllib.parse import parse_qsl

from starlette.types import Message, Receive

from stockbuddy.gateway.upstream.port import ClientLeft

FORM = b"application/x-www-form-urlencoded"
NAMING = ("username", "email", "client_id", "refresh_token")
"""The first of these that a login has names its account."""


async def read_whole(receive: Receive) -> bytes:
    """Raises ClientLeft, or what `receive` raises; routes for logins allow small bodies only."""
    body, more = b"", True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientLeft
        body += message.get("body", b"")
        more = message.get("more_body", False)
    return body


def replay(body: bytes, receive: Receive) -> Receive:
    """A `receive` that gives a body which has been read already, and then what `receive` has to say."""
    given = False

    async def receive_again() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return receive_again


def account_in(body: bytes, *, content_type: bytes, authorization: bytes) -> str:
    """The account as the client names it, in one spelling."""
    fields = _basic_credentials(authorization) | _fields(body, content_type)
    named = (fields.get(name) for name in NAMING)
    return next((str(value).strip().casefold() for value in named if value), "")


def _fields(body: bytes, content_type: bytes) -> dict[str, object]:
    if content_type.partition(b";")[0].strip().lower() == FORM:
        return dict(parse_qsl(body.decode("utf-8", "replace")))
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return document if isinstance(document, dict) else {}


def _basic_credentials(authorization: bytes) -> dict[str, object]:
    """An OAuth2 client may show its id there (RFC 6749 §2.3.1)."""
    scheme, _, encoded = authorization.partition(b" ")
    if scheme.lower() != b"basic":
        return {}
    try:
        client_id = base64.b64decode(encoded, validate=True).partition(b":")[0]
    except binascii.Error:
        return {}
    return {"client_id": client_id.decode("utf-8", "replace")}
