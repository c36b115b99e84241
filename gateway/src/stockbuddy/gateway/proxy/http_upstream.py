"""A service across the network: requests and responses are streamed over kept-alive connections to its replicas.

A request that was never sent, because no connection could be acquired, goes to another replica. A request whose
connection broke before the response is repeated if its method is safe (RFC 9110 §9.2.2), or if it is an authenticated
caller's POST with an idempotency key, which takes effect once. Any other request is left for the client to repeat.
"""

import asyncio
import time
from collections.abc import Sequence

from starlette.types import Message, Receive, Scope, Send

from stockbuddy.chassis.http.errors import Unavailable
from stockbuddy.gateway.errors import ServiceTimeout
from stockbuddy.gateway.proxy.connection import Connection, ConnectionBroken, ResponseTimeout
from stockbuddy.gateway.proxy.outgoing_request import OutgoingRequest, read_request
from stockbuddy.gateway.proxy.replicas import Replica, ReplicaSet, ReplicaUnreachable
from stockbuddy.gateway.proxy.upstream import AUTHENTICATED, ResponseInterrupted
from stockbuddy.gateway.proxy.websocket_proxy import WebSocketProxy

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
MAX_REPEATS = 2


class HttpUpstream:
    def __init__(
        self,
        service: str,
        urls: Sequence[str],
        *,
        connect_timeout_seconds: float,
        response_timeout_seconds: float,
        idle_timeout_seconds: float,
        max_connections: int,
    ) -> None:
        """`idle_timeout_seconds`: between two chunks of a body. `max_connections`: per replica."""
        self._service = service
        self._response_timeout_seconds = response_timeout_seconds
        self._idle_timeout_seconds = idle_timeout_seconds
        self._replicas = ReplicaSet(
            service, urls, connect_timeout_seconds=connect_timeout_seconds, max_connections=max_connections
        )
        self._websockets = WebSocketProxy(self._replicas, connect_timeout_seconds=connect_timeout_seconds)

    async def open(self) -> None:
        await self._replicas.open()

    async def close(self) -> None:
        await self._websockets.close()
        await self._replicas.close()

    @property
    def replicas(self) -> tuple[int, int]:
        return self._replicas.counts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await self._websockets(scope, receive, send)
            return
        request = await read_request(scope, receive)
        replica, connection, watch = await self._send_request(request, repeatable=_is_repeatable(scope))
        try:
            if connection.complete:
                await self._forward_whole(connection, send)
            else:
                watch = watch or asyncio.create_task(_close_on_disconnect(connection, receive))
                await self._forward_chunks(connection, send)
        finally:
            if watch is not None:
                watch.cancel()
                await asyncio.gather(watch, return_exceptions=True)
            replica.release_connection(connection)

    async def _send_request(
        self, request: OutgoingRequest, *, repeatable: bool
    ) -> tuple[Replica, Connection, "asyncio.Task[None] | None"]:
        """Send the request to replicas, one after the other as far as it may be repeated, until one has responded."""
        unreachable: list[Replica] = []
        repeats = MAX_REPEATS if repeatable and request.is_whole else 0
        broken = False
        while True:
            replica = self._replicas.pick(exclude=unreachable)
            try:
                connection = await replica.acquire_connection(new=broken)
            except ReplicaUnreachable:
                unreachable.append(replica)
                continue
            try:
                watch = await self._exchange(request, connection)
            except ConnectionBroken as error:
                if not connection.is_reused:
                    replica.circuit.record_failure(time.monotonic(), unreachable=False)
                replica.release_connection(connection)
                if not repeats:
                    raise Unavailable(
                        "The service failed while processing this request; whether it took effect is unknown.",
                        service=self._service,
                    ) from error
                repeats -= 1
                broken = True  # other idle connections may be broken, too
            except ResponseTimeout as error:
                replica.circuit.record_failure(time.monotonic(), unreachable=False)
                replica.release_connection(connection)
                raise ServiceTimeout(service=self._service) from error
            except BaseException:
                replica.release_connection(connection)
                raise
            else:
                replica.circuit.record_success()
                return replica, connection, watch

    async def _exchange(self, request: OutgoingRequest, connection: Connection) -> "asyncio.Task[None] | None":
        """Return once the response's head is received; the task, if any, sends the body and watches the client."""
        connection.send_request(request.start, head_only=request.head_only, whole=request.is_whole)
        if request.is_whole:
            await connection.read_head(self._response_timeout_seconds)
            return None
        upload = asyncio.create_task(self._upload(request, connection))
        try:
            await connection.read_head(self._response_timeout_seconds)
        except BaseException:
            upload.cancel()
            await asyncio.gather(upload, return_exceptions=True)
            if not upload.cancelled() and (cause := upload.exception()):
                raise cause from None  # the body was rejected, too slow or incomplete
            raise
        return upload

    async def _upload(self, request: OutgoingRequest, connection: Connection) -> None:
        try:
            await request.send_rest(connection, self._idle_timeout_seconds)
            await _close_on_disconnect(connection, request.receive)
        except Exception:
            connection.close()
            raise

    async def _forward_whole(self, connection: Connection, send: Send) -> None:
        body = await connection.read_body(self._idle_timeout_seconds)
        await send(_response_start(connection))
        await send({"type": "http.response.body", "body": body})

    async def _forward_chunks(self, connection: Connection, send: Send) -> None:
        await send(_response_start(connection))
        try:
            while body := await connection.read_body(self._idle_timeout_seconds):
                await send({"type": "http.response.body", "body": body, "more_body": True})
        except (ConnectionBroken, ResponseTimeout) as error:
            connection.close()
            raise ResponseInterrupted from error
        await send({"type": "http.response.body", "body": b""})


def _is_repeatable(scope: Scope) -> bool:
    if scope["method"] == "POST":
        return scope.get(AUTHENTICATED, False) and any(name == b"idempotency-key" for name, _ in scope["headers"])
    return scope["method"] in SAFE_METHODS


def _response_start(connection: Connection) -> Message:
    """With hop-by-hop headers, which ResponseWriter removes."""
    return {"type": "http.response.start", "status": connection.status, "headers": connection.headers}


async def _close_on_disconnect(connection: Connection, receive: Receive) -> None:
    """Otherwise a stream whose client has gone would occupy its connection until the service sends something."""
    while (await receive())["type"] != "http.disconnect":
        pass
    connection.close()
