"""Calls an ASGI app within the process, without a socket."""

from starlette.types import ASGIApp, Message, Scope


async def get(app: ASGIApp, path: str) -> bytes:
    """The body of the response to a GET. Raises OSError for any status but 200."""
    status, body = 0, bytearray()
    scope: Scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": [],
        "client": ("127.0.0.1", 0),
        "server": ("127.0.0.1", 0),
    }

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        nonlocal status
        if message["type"] == "http.response.start":
            status = message["status"]
        elif message["type"] == "http.response.body":
            body.extend(message.get("body", b""))

    await app(scope, receive, send)
    if status != 200:
        raise OSError(f"GET {path} returned {status}")
    return bytes(body)
