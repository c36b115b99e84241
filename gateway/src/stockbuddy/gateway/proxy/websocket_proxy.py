"""WebSockets across the network: what either side says is said to the other, until one of them closes (RFC 6455)."""

import asyncio
import time
from collections.abc import Callable, Coroutine
from typing import Any

import aiohttp
from starlette.types import Receive, Scope, Send
from yarl import URL

from stockbuddy.chassis.http.errors import Forbidden, Problem, Unauthenticated, Unavailable
from stockbuddy.gateway.errors import UnknownPath
from stockbuddy.gateway.upstream.replicas import Replica, Replicas

MESSAGE_BYTES = 1024 * 1024
HEARTBEAT_SECONDS = 20.0
NORMAL_CLOSURE = 1000
INTERNAL_ERROR = 1011
_NEVER_SENT = (1005, 1006, 1015)
"""Close codes that only say how a connection ended (RFC 6455 §7.4.1)."""

_HANDSHAKE = frozenset({b"connection", b"upgrade", b"content-length", b"transfer-encoding"})


class WebSocketRelay:
    def __init__(self, replicas: Replicas, *, connect_seconds: float) -> None:
        self._replicas = replicas
        self._connect_seconds = connect_seconds
        self._client: aiohttp.ClientSession | None = None

    async def close(self) -> None:
        if self._client is not None:
            await self._client.close()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Raises a Problem, and has sent nothing, when the service can't be reached or refuses."""
        await receive()  # websocket.connect
        away: list[Replica] = []
        while True:
            replica = self._replicas.pick(away)
            try:
                service = await self._connect(replica, scope)
                break
            except (aiohttp.ClientConnectionError, TimeoutError, OSError):
                replica.circuit.failed(time.monotonic(), unreachable=True)
                away.append(replica)
        replica.circuit.succeeded()
        replica.at_work += 1
        try:
            await send({"type": "websocket.accept", "subprotocol": service.protocol, "headers": []})
            await _first_of(
                lambda: _from_client(receive, service),
                lambda: _from_service(service, send),
            )
        finally:
            replica.at_work -= 1
            await service.close()

    async def _connect(self, replica: Replica, scope: Scope) -> aiohttp.ClientWebSocketResponse:
        self._client = self._client or aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar())
        origin = replica.origin
        url = URL.build(
            scheme="https" if origin.tls else "http",
            host=replica.address,
            port=origin.port,
            path=scope["raw_path"].decode("ascii"),
            query_string=scope["query_string"].decode("latin-1"),
            encoded=True,
        )
        try:
            async with asyncio.timeout(self._connect_seconds * 5):
                return await self._client.ws_connect(
                    url,
                    headers=_handshake_headers(scope),
                    protocols=scope.get("subprotocols", ()),
                    heartbeat=HEARTBEAT_SECONDS,
                    max_msg_size=MESSAGE_BYTES,
                    server_hostname=origin.host if origin.tls else None,
                )
        except aiohttp.WSServerHandshakeError as error:
            raise _refusal(error.status) from error


def _handshake_headers(scope: Scope) -> list[tuple[str, str]]:
    return [
        (name.decode("latin-1"), value.decode("latin-1"))
        for name, value in scope["headers"]
        if name not in _HANDSHAKE and not name.startswith(b"sec-websocket-")
    ]


def _refusal(status: int) -> Problem:
    refusals: dict[int, type[Problem]] = {401: Unauthenticated, 403: Forbidden, 404: UnknownPath}
    return refusals.get(status, Unavailable)()


async def _first_of(*directions: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """When one direction has ended, so has the conversation."""
    tasks = [asyncio.create_task(direction()) for direction in directions]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _from_client(receive: Receive, service: aiohttp.ClientWebSocketResponse) -> None:
    while (message := await receive())["type"] == "websocket.receive":
        if (text := message.get("text")) is not None:
            await service.send_str(text)
        else:
            await service.send_bytes(message["bytes"])
    await service.close(code=_sendable(message.get("code")))


async def _from_service(service: aiohttp.ClientWebSocketResponse, send: Send) -> None:
    async for message in service:
        if message.type is aiohttp.WSMsgType.TEXT:
            await send({"type": "websocket.send", "text": message.data})
        elif message.type is aiohttp.WSMsgType.BINARY:
            await send({"type": "websocket.send", "bytes": message.data})
    await send({"type": "websocket.close", "code": _sendable(service.close_code, broken=INTERNAL_ERROR)})


def _sendable(code: int | None, *, broken: int = NORMAL_CLOSURE) -> int:
    if code is None or code == 1006:
        return broken
    return NORMAL_CLOSURE if code in _NEVER_SENT else code
