"""GET /stream and GET /ws: notifications and stock changes that the caller may see, live."""

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated

import structlog
from fastapi import APIRouter, Depends, Header, Query, WebSocket, WebSocketDisconnect
from pydantic import ConfigDict, Field

from stockbuddy.chassis.http.authentication import Caller
from stockbuddy.chassis.http.errors import raises
from stockbuddy.chassis.http.strict_query import StrictQueryRoute
from stockbuddy.notifications.dependencies import Services
from stockbuddy.notifications.errors import TooManyStreams
from stockbuddy.notifications.event_log.filters import Cursor, TypesFilter, find_position
from stockbuddy.notifications.settings import NotificationsSettings
from stockbuddy.notifications.stream.sse import EventStream
from stockbuddy.notifications.stream.subscription import EventSubscription
from stockbuddy.notifications.stream_limits import run_until_disconnect

log = structlog.get_logger(__name__)

router = APIRouter(prefix="/api/v1", tags=["stream"], route_class=StrictQueryRoute)

DEFAULT_TYPES = ("notifications.notification.*", "stock.*")
RECONNECT_MILLISECONDS = 2000
RESET_TYPE = "stream.reset"
"""The first event of a stream whose cursor the log does not know: it continues from the head, in `data`."""
POLICY_VIOLATION = 1008
SERVICE_RESTART = 1012
TRY_AGAIN_LATER = 1013
CLOSE_TIMEOUT_SECONDS = 1


class StreamFilter(TypesFilter):
    model_config = ConfigDict(extra="forbid")

    after: Cursor = Field(None, description="As `Last-Event-ID`, for clients that cannot set headers.")
    ticket: str | None = Field(
        None,
        max_length=200,
        description="Of `POST /auth/stream-ticket`, for clients that cannot set headers; redeemed by the gateway.",
    )


async def open_subscription(
    caller: Caller,
    services: Services,
    filters: Annotated[StreamFilter, Query()],
    last_event_id: Annotated[Cursor, Header(description="The id of the last event received.")] = None,
) -> AsyncIterator[EventSubscription]:
    """Counts as a stream of the caller until the response has ended."""
    after = find_position(last_event_id, filters.after)
    with services.stream_slots.take(caller):
        yield EventSubscription(services.tail, caller, filters.types or DEFAULT_TYPES, after)


Subscription = Annotated[EventSubscription, Depends(open_subscription)]


@router.get("/stream", response_class=EventStream, status_code=200)
@raises(TooManyStreams)
async def stream_events(subscription: Subscription, services: Services) -> EventStream:
    """Receive events as they happen.

    Server-sent events: `id` is the cursor, `event` the type, `data` the event in the JSON format of CloudEvents.
    Reconnect with `Last-Event-ID` (browsers do) to continue without a gap; comments keep an idle stream open. A
    cursor that the log does not know gets a first event `stream.reset`. The stream ends with its credential. By
    default notifications and the events of stock.
    """
    settings = services.settings
    return EventStream(_to_frames(subscription, settings.stream_keepalive_seconds), settings.stream_stalled_seconds)


async def _to_frames(subscription: EventSubscription, keepalive_seconds: float) -> AsyncIterator[str]:
    """The start position is a comment: some clients report an event for every frame with an id, even without data."""
    view = subscription.visibility.view
    async with subscription.open() as start:
        cursor = start.position.to_cursor()
        yield f": id {cursor}\nretry: {RECONNECT_MILLISECONDS}\n"
        if start.is_reset:
            yield f'id: {cursor}\nevent: {RESET_TYPE}\ndata: {{"head":"{cursor}"}}\n\n'
        async for events in subscription.batches(keepalive_seconds):
            yield "".join(event.to_sse(view) for event in events) or ":\n"


@router.websocket("/ws")
async def stream_events_over_websocket(websocket: WebSocket, subscription: Subscription, services: Services) -> None:
    """Messages are `{id, event, data}`; messages of the client are ignored."""
    await websocket.accept()
    await run_until_disconnect(_send(websocket, subscription, services.settings), _wait_for_disconnect(websocket))


async def _send(websocket: WebSocket, subscription: EventSubscription, settings: NotificationsSettings) -> None:
    view = subscription.visibility.view
    try:
        async with subscription.open() as start:
            if start.is_reset:
                cursor = start.position.to_cursor()
                await websocket.send_json({"id": cursor, "event": RESET_TYPE, "data": {"head": cursor}})
            async for events in subscription.batches(settings.stream_keepalive_seconds):
                async with asyncio.timeout(settings.stream_stalled_seconds):
                    for event in events:
                        await websocket.send_text(event.to_websocket_message(view))
        if subscription.is_closed_by_server:
            await websocket.close(SERVICE_RESTART, "the service restarts")
        else:
            await websocket.close(POLICY_VIOLATION, "the session has ended")
    except TimeoutError:
        log.info("stream.client_stalled")
        await _close_stalled(websocket)
    except WebSocketDisconnect:
        pass


async def _close_stalled(websocket: WebSocket) -> None:
    """The close frame has a timeout, too: the client does not read."""
    try:
        async with asyncio.timeout(CLOSE_TIMEOUT_SECONDS):
            await websocket.close(TRY_AGAIN_LATER, "too slow")
    except TimeoutError:
        pass


async def _wait_for_disconnect(websocket: WebSocket) -> None:
    try:
        while True:
            await websocket.receive()
    except (WebSocketDisconnect, RuntimeError):
        pass  # the first receive after a disconnect returns a message, the next one raises RuntimeError
