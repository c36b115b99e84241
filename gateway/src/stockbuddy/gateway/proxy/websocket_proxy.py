"""WebSockets across the network: messages are forwarded in both directions until one side closes (RFC 6455)."""

import asyncio
import time
from collections.abc import Coroutine
from typing import Any

import aiohttp
from starlette.types import Receive, Scope, Send
from yarl import URL

from stockbuddy.chassis.http.errors import (
    Forbidden,
    Problem,
    TooManyRequests,
    Unauthenticated,
    Unavailable,
    Unprocessable,
)
from stockbuddy.gateway.errors import UnknownPath
from stockbuddy.gateway.headers import HOP_BY_HOP
from stockbuddy.gateway.proxy.replicas import Replica, ReplicaSet

MAX_MESSAGE_BYTES = 1024 * 1024
HEARTBEAT_INTERVAL_SECONDS = 20.0
NORMAL_CLOSURE = 1000
ABNORMAL_CLOSURE = 1006
INTERNAL_ERROR = 1011
_NEVER_SENT = (1005, ABNORMAL_CLOSURE, 1015)
"""Close codes that only report how a connection ended (RFC 6455 §7.4.1)."""

_HANDSHAKE = HOP_BY_HOP | {b"content-length"}


class WebSocketProxy:
    def __init__(self, replicas: ReplicaSet, *, connect_timeout_seconds: float) -> None:
        self._replicas = replicas
        self._connect_timeout_seconds = connect_timeout_seconds
        self._client: aiohttp.ClientSession | None = None

    async def close(self) -> None:
        if self._client is not None:
            await self._client.close()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Raises a Problem, before anything is sent, if the service is unavailable or rejects the handshake."""
        await receive()  # websocket.connect
        replica, service = await self._connect(scope)
        replica.in_flight += 1
        try:
            await send({"type": "websocket.accept", "subprotocol": service.protocol, "headers": []})
            await _run_until_first_ends(_from_client(receive, service), _from_service(service, send))
        finally:
            replica.in_flight -= 1
            await service.close()

    async def _connect(self, scope: Scope) -> tuple[Replica, aiohttp.ClientWebSocketResponse]:
        unreachable: list[Replica] = []
        while True:
            replica = self._replicas.pick(exclude=unreachable)
            try:
                service = await self._handshake(replica, scope)
            except (aiohttp.ClientConnectionError, TimeoutError, OSError):
                replica.circuit.record_failure(time.monotonic(), unreachable=True)
                unreachable.append(replica)
            else:
                replica.circuit.record_success()
                return replica, service

    async def _handshake(self, replica: Replica, scope: Scope) -> aiohttp.ClientWebSocketResponse:
        self._client = self._client or aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar())
        service_url = replica.url
        url = URL.build(
            scheme="https" if service_url.tls else "http",
            host=replica.address,
            port=service_url.port,
            path=scope["raw_path"].decode("ascii"),
            query_string=scope["query_string"].decode("latin-1"),
            encoded=True,
        )
        try:
            # Longer than for a plain connection: the service also authenticates the caller.
            async with asyncio.timeout(self._connect_timeout_seconds * 5):
                return await self._client.ws_connect(
                    url,
                    headers=_handshake_headers(scope),
                    protocols=scope.get("subprotocols", ()),
                    heartbeat=HEARTBEAT_INTERVAL_SECONDS,
                    max_msg_size=MAX_MESSAGE_BYTES,
                    server_hostname=service_url.host if service_url.tls else None,
                )
        except aiohttp.WSServerHandshakeError as error:
            raise _to_problem(error.status) from error


def _handshake_headers(scope: Scope) -> list[tuple[str, str]]:
    return [
        (name.decode("latin-1"), value.decode("latin-1"))
        for name, value in scope["headers"]
        if name not in _HANDSHAKE and not name.startswith(b"sec-websocket-")
    ]


def _to_problem(status: int) -> Problem:
    problems: dict[int, type[Problem]] = {
        401: Unauthenticated,
        403: Forbidden,
        404: UnknownPath,
        422: Unprocessable,
        429: TooManyRequests,
    }
    return problems.get(status, Unavailable)()


async def _run_until_first_ends(*directions: Coroutine[Any, Any, None]) -> None:
    tasks = [asyncio.create_task(direction) for direction in directions]
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
    await service.close(code=_close_code(message.get("code")))


async def _from_service(service: aiohttp.ClientWebSocketResponse, send: Send) -> None:
    async for message in service:
        if message.type is aiohttp.WSMsgType.TEXT:
            await send({"type": "websocket.send", "text": message.data})
        elif message.type is aiohttp.WSMsgType.BINARY:
            await send({"type": "websocket.send", "bytes": message.data})
    await send({"type": "websocket.close", "code": _close_code(service.close_code, if_broken=INTERNAL_ERROR)})


def _close_code(code: int | None, *, if_broken: int = NORMAL_CLOSURE) -> int:
    """The close code for the other side."""
    if code is None or code == ABNORMAL_CLOSURE:
        return if_broken
    return NORMAL_CLOSURE if code in _NEVER_SENT else code
