"""Rejects bodies in a form that no route reads: without a media type, encoded, or in another charset than UTF-8."""

from collections.abc import MutableMapping

from starlette.datastructures import Headers
from starlette.types import Message, Receive

from stockbuddy.chassis.http.errors import Problem

_UTF_8 = frozenset({"utf-8", "utf8", "us-ascii", "ascii"})


class UnsupportedMediaType(Problem):
    """The request body has an unsupported media type, charset or content coding."""

    status = 415
    code = "unsupported_media_type"


async def check_body_headers(headers: Headers, receive: Receive) -> Receive:
    """Raises UnsupportedMediaType. Returns the `receive` to use from now on: of a chunked body without a media type the
    first part is read, because an empty one is accepted."""
    coding = headers.get("content-encoding", "").strip().lower()
    if coding not in ("", "identity"):
        message = (
            f"A request body in the content coding {coding[:40]!r} is not accepted; send it without Content-Encoding."
        )
        raise UnsupportedMediaType(message, headers={"Accept-Encoding": "identity"})
    content_type = headers.get("content-type", "").strip()
    if content_type:
        _check_charset(content_type)
    elif headers.get("content-length", "0") != "0":
        raise _no_content_type()
    elif "transfer-encoding" in headers:
        return await _require_empty(receive)
    return receive


def require_json(headers: Headers) -> None:
    """Raises UnsupportedMediaType for a body of another media type."""
    media_type = headers.get("content-type", "").partition(";")[0].strip().lower()
    if not media_type or headers.get("content-length") == "0":
        return
    if media_type != "application/json" and not media_type.endswith("+json"):
        raise UnsupportedMediaType(f"{media_type[:80]!r} is not accepted; send application/json.")


def _check_charset(content_type: str) -> None:
    media_type, *parameters = content_type.lower().split(";")
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "charset" and value.strip().strip('"') not in _UTF_8:
            raise UnsupportedMediaType(f"Only UTF-8 is accepted: {media_type.strip()[:80]}; charset=utf-8.")


async def _require_empty(receive: Receive) -> Receive:
    first: MutableMapping[str, object] | None = await receive()
    if first is not None and (first.get("body") or first.get("more_body")):
        raise _no_content_type()

    async def receive_again() -> Message:
        nonlocal first
        message, first = first, None
        return await receive() if message is None else message

    return receive_again


def _no_content_type() -> UnsupportedMediaType:
    return UnsupportedMediaType("A request body needs a Content-Type, such as application/json.")
