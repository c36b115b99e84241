"""Response compression with zstd or gzip, negotiated by Accept-Encoding.

Event streams are not compressed: every event must be sent at once, and is too small to benefit. Nor are the files of
the console, which exist in compressed form."""

from starlette.types import ASGIApp, Receive, Scope, Send
from starlette_compress import CompressMiddleware, remove_compress_type

from stockbuddy.gateway.console.site import FILES_PATH

MIN_BYTES = 1024
ZSTD_LEVEL = 3
GZIP_LEVEL = 5

remove_compress_type("text/event-stream")


class Compression:
    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        # Services receive no Accept-Encoding, so that only the gateway compresses.
        self._compressed_app = CompressMiddleware(
            app,
            minimum_size=MIN_BYTES,
            zstd_level=ZSTD_LEVEL,
            gzip_level=GZIP_LEVEL,
            brotli=False,
            remove_accept_encoding=True,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and FILES_PATH not in scope["path"]:
            for name, _ in scope["headers"]:
                if name == b"accept-encoding":
                    await self._compressed_app(scope, receive, send)
                    return
        await self._app(scope, receive, send)
