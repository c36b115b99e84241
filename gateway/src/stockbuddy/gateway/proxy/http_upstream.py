"""A service across the network: requests and answers are streamed through kept-alive connections to its replicas.

What may be repeated: anything that was never sent (no connection could be had), and of what was sent on a connection
that broke before an answer, safe requests (RFC 9110 §9.2.2) and a known caller's POSTs with an idempotency key, which
have their effect once however often they arrive. Everything else is for the client to repeat.
"""

import asyncio
import time
from collections.abc import Sequence

from starlette.types import Message, Receive, Scope, Send

from stockbuddy.chassis.http.errors import Unavailable
from stockbuddy.gateway.errors import ServiceTimeout
from stockbuddy.gateway.upstream.connection import AnswerLate, Connection, ConnectionBroken
from stockbuddy.gateway.upstream.outgoing import OutgoingRequest, read_request
from stockbuddy.gateway.upstream.port import KNOWN_CALLER, Interrupted
from stockbuddy.gateway.upstream.replicas import Replica, Replicas, Unreachable
from stockbuddy.gateway.upstream.websocket import WebSocketRelay

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
REPEATS = 2

_HOP_BY_HOP = frozenset(
    {b"connection", b"keep-alive", b"proxy-connection", b"te", b"trailer", b"transfer-encoding", b"upgrade"}
)


class HttpUpstream:
    def __init__(
        self,
        service: str,
        urls: Sequence[str],
        *,
        connect_seconds: float,
        response_seconds: float,
        idle_stream_seconds: float,
        most_connections: int,
    ) -> None:
        self._service = service
        self._response_seconds = response_seconds
        self._idle_stream_seconds = idle_stream_seconds
        self._replicas = Replicas(service, urls, connect_seconds=connect_seconds, most_connections=most_connections)
        self._websockets = WebSocketRelay(self._replicas, connect_seconds=connect_seconds)

    async def open(self) -> None:
        await self._replicas.open()

    async def close(self) -> None:
        await self._websockets.close()
        await self._replicas.close()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await self._websockets(scope, receive, send)
            return
        request = await read_request(scope, receive)
        replica, connection, watch = await self._answered(request, repeatable=_is_repeatable(scope))
        try:
            if connection.complete:
                await self._pass_on_whole(connection, send)
            else:
                watch = watch or asyncio.create_task(_close_when_client_leaves(connection, receive))
                await self._pass_on_pieces(connection, send)
        finally:
            if watch is not None:
                watch.cancel()
                await asyncio.gather(watch, return_exceptions=True)
            replica.give_back(connection)

    async def _answered(
        self, request: OutgoingRequest, *, repeatable: bool
    ) -> tuple[Replica, Connection, "asyncio.Task[None] | None"]:
        """Send the request to one replica or, as far as it may be repeated, another, until one has begun to answer."""
        away: list[Replica] = []
        repeats = REPEATS if repeatable and request.is_whole else 0
        broken = False
        while True:
            replica = self._replicas.pick(away)
            try:
                connection = await replica.take_connection(fresh=broken)
            except Unreachable:
                away.append(replica)
                continue
            try:
                watch = await self._exchange(request, connection)
            except ConnectionBroken as error:
                if not connection.was_used:
                    replica.circuit.failed(time.monotonic(), unreachable=False)
                replica.give_back(connection)
                if not repeats:
                    raise Unavailable(
                        "The service went away while at work on this; whether it took effect is unknown.",
                        service=self._service,
                    ) from error
                repeats -= 1
                broken = True
            except AnswerLate as error:
                replica.circuit.failed(time.monotonic(), unreachable=False)
                replica.give_back(connection)
                raise ServiceTimeout(service=self._service) from error
            except BaseException:
                replica.give_back(connection)
                raise
            else:
                replica.circuit.succeeded()
                return replica, connection, watch

    async def _exchange(self, request: OutgoingRequest, connection: Connection) -> "asyncio.Task[None] | None":
        """Returns when the head of the answer is there; the task, if any, sends the body and watches the client."""
        connection.send_request(request.start, head_only=request.head_only, whole=request.is_whole)
        if request.is_whole:
            await connection.read_head(self._response_seconds)
            return None
        upload = asyncio.create_task(self._upload(request, connection))
        try:
            await connection.read_head(self._response_seconds)
        except BaseException:
            upload.cancel()
            await asyncio.gather(upload, return_exceptions=True)
            if not upload.cancelled() and (cause := upload.exception()):
                raise cause from None  # the body was refused, came too slowly or broke off
            raise
        return upload

    async def _upload(self, request: OutgoingRequest, connection: Connection) -> None:
        try:
            await request.send_rest(connection, self._idle_stream_seconds)
            await _close_when_client_leaves(connection, request.receive)
        except Exception:
            connection.close()
            raise

    async def _pass_on_whole(self, connection: Connection, send: Send) -> None:
        body = await connection.read_body(self._idle_stream_seconds)
        await send(_head(connection))
        await send({"type": "http.response.body", "body": body})

    async def _pass_on_pieces(self, connection: Connection, send: Send) -> None:
        await send(_head(connection))
        try:
            while body := await connection.read_body(self._idle_stream_seconds):
                await send({"type": "http.response.body", "body": body, "more_body": True})
        except (ConnectionBroken, AnswerLate) as error:
            connection.close()
            raise Interrupted from error
        await send({"type": "http.response.body", "body": b""})


def _is_repeatable(scope: Scope) -> bool:
    if scope["method"] == "POST":
        return scope.get(KNOWN_CALLER, False) and any(name == b"idempotency-key" for name, _ in scope["headers"])
    return scope["method"] in SAFE_METHODS


def _head(connection: Connection) -> Message:
    headers = [header for header in connection.headers if header[0] not in _HOP_BY_HOP]
    return {"type": "http.response.start", "status": connection.status, "headers": headers}


async def _close_when_client_leaves(connection: Connection, receive: Receive) -> None:
    """Else a stream whose client has gone would hold its connection until the service has something to say."""
    while (await receive())["type"] != "http.disconnect":
        pass
    connection.close()
