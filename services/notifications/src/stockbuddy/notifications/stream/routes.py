"""GET /stream and GET /ws: one's notifications and the stock changes one may see, as they happen."""

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated

import structlog
from fastapi import APIRouter, Depends, Header, Query, WebSocket, WebSocketDisconnect
from starlette.requests import HTTPConnection

from stockbuddy.chassis.http.authentication import Caller
from stockbuddy.notifications.event_log.patterns import ANY_TYPE
from stockbuddy.notifications.event_log.filters import Cursor, RequestedTypes
from stockbuddy.notifications.settings import NotificationsSettings
from stockbuddy.notifications.stream.stream_limits import while_connected
from stockbuddy.notifications.stream.subscription import Listener
from stockbuddy.notifications.stream.sse import EventStream

log = structlog.get_logger(__name__)

router = APIRouter(prefix="/api/v1", tags=["stream"])

DEFAULT_TYPES = ("notifications.notification.*", "stock.*")
RECONNECT_MILLISECONDS = 2000
POLICY_VIOLATION = 1008
SERVICE_RESTART = 1012
TRY_AGAIN_LATER = 1013
FAREWELL_SECONDS = 1


async def open_listener(
    connection: HTTPConnection,
    caller: Caller,
    types: RequestedTypes,
    last_event_id: Annotated[Cursor | None, Header(description="The id of the last event that one has.")] = None,
    after: Annotated[Cursor | None, Query(description="The same, for clients that can't set headers.")] = None,
) -> Listener:
    last = last_event_id or after
    return Listener(
        connection.app.state.feed,
        caller,
        DEFAULT_TYPES if types == ANY_TYPE and "types" not in connection.query_params else types,
        int(last) if last else None,
    )


OpenListener = Annotated[Listener, Depends(open_listener)]


@router.get("/stream", response_class=EventStream, status_code=200)
async def stream(connection: HTTPConnection, listener: OpenListener) -> EventStream:
    """Without `types`: notifications and `stock.*`. A comment keeps an idle stream open."""
    settings: NotificationsSettings = connection.app.state.settings
    return EventStream(_texts(listener, settings.stream_keepalive_seconds), settings.stream_stalled_seconds)


async def _texts(listener: Listener, pause_seconds: float) -> AsyncIterator[str]:
    """The first one lets a client resume from here even if it is cut off before its first event."""
    beginning = True
    async for step in listener.progress(pause_seconds):
        if beginning:
            yield f"retry: {RECONNECT_MILLISECONDS}\nid: {step.position}\n\n"
            beginning = False
        elif step.events:
            yield "".join(event.sse(with_client_ip=listener.visibility.with_client_ip) for event in step.events)
        else:
            yield ":\n"


@router.websocket("/ws")
async def stream_over_websocket(websocket: WebSocket, listener: OpenListener) -> None:
    """Messages are `{id, event, data}`; what the client says is ignored."""
    settings: NotificationsSettings = websocket.app.state.settings
    await websocket.accept()
    await while_connected(_send(websocket, listener, settings), _left(websocket))


async def _send(websocket: WebSocket, listener: Listener, settings: NotificationsSettings) -> None:
    try:
        async for step in listener.progress(settings.stream_keepalive_seconds):
            async with asyncio.timeout(settings.stream_stalled_seconds):
                for event in step.events:
                    await websocket.send_text(event.message(with_client_ip=listener.visibility.with_client_ip))
        if listener.is_sent_away:
            await websocket.close(SERVICE_RESTART, "come back in a moment")
        else:
            await websocket.close(POLICY_VIOLATION, "the session is over")
    except TimeoutError:
        log.info("stream.client_stalled")
        await _hang_up(websocket)
    except WebSocketDisconnect:
        pass


async def _hang_up(websocket: WebSocket) -> None:
    """Without waiting for somebody who does not read to read the farewell."""
    try:
        async with asyncio.timeout(FAREWELL_SECONDS):
            await websocket.close(TRY_AGAIN_LATER, "too slow")
    except TimeoutError:
        pass


async def _left(websocket: WebSocket) -> None:
    try:
        while True:
            await websocket.receive()
    except (WebSocketDisconnect, RuntimeError):
        pass  # It says so once as a message and, if asked again, as an error.
