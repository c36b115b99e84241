"""Middleware of a service with a read replica (ADR 37): what a GET must see, and the position of a write."""

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from stockbuddy.chassis.http.consistency import CONSISTENCY_HEADER, format_positions, parse_positions
from stockbuddy.chassis.postgres.read_replica import ReadReplica, RequestReads, is_replica_fault, request_reads

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


class ReplicaReads:
    """Lets a GET read from the replica. One that fails there, before its response has started, is repeated on the
    primary."""

    def __init__(self, app: ASGIApp, *, service: str) -> None:
        self._app = app
        self._service = service

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] not in SAFE_METHODS:
            await self._app(scope, receive, send)
            return
        token = ",".join(Headers(scope=scope).getlist(CONSISTENCY_HEADER))
        reads = RequestReads(parse_positions(token).get(self._service, 0))
        original, has_started = dict(scope), False

        async def send_and_note(message: Message) -> None:
            nonlocal has_started
            has_started = True
            await send(message)

        reset = request_reads.set(reads)
        try:
            await self._app(scope, receive, send_and_note)
        except Exception as error:
            if has_started or not reads.used_replica or not is_replica_fault(error):
                raise
            _replica_of(scope).record_failure(error)
            reads.from_primary = True
            scope.clear()
            scope.update(original)
            await self._app(scope, receive, send)
        finally:
            request_reads.reset(reset)


class WritePositions:
    """Adds the position that the database has reached to the response to a write, also to one that was rejected: the
    client then reads at least the state that it was rejected for."""

    def __init__(self, app: ASGIApp, *, service: str) -> None:
        self._app = app
        self._service = service

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] in SAFE_METHODS:
            await self._app(scope, receive, send)
            return

        async def send_with_position(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] < 500:
                position = await _replica_of(scope).position_after_writes()
                headers = MutableHeaders(raw=list(message["headers"]))
                parts = [headers.get(CONSISTENCY_HEADER), format_positions({self._service: position})]
                headers[CONSISTENCY_HEADER] = ",".join(part for part in parts if part)
                message = {**message, "headers": headers.raw}
            await send(message)

        await self._app(scope, receive, send_with_position)


def _replica_of(scope: Scope) -> ReadReplica:
    reads = scope["app"].state.resources.reads
    assert isinstance(reads, ReadReplica)
    return reads
