"""Answers are compressed for clients who want it: zstd or gzip, never what is compressed already, never a stream of
events (each must leave at once, and alone it has nothing to compress)."""

from starlette.types import ASGIApp, Receive, Scope, Send
from starlette_compress import CompressMiddleware, remove_compress_type

SMALLEST_BYTES = 1024
ZSTD_LEVEL = 3
GZIP_LEVEL = 5

remove_compress_type("text/event-stream")


class Compression:
    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        # Services see no Accept-Encoding, so that nothing is compressed twice or anywhere but here.
        self._compressing = CompressMiddleware(
            app,
            minimum_size=SMALLEST_BYTES,
            zstd_level=ZSTD_LEVEL,
            gzip_level=GZIP_LEVEL,
            brotli=False,
            remove_accept_encoding=True,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            for name, _ in scope["headers"]:
                if name == b"accept-encoding":
                    await self._compressing(scope, receive, send)
                    return
        await self._app(scope, receive, send)
