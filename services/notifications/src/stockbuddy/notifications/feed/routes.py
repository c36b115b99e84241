"""GET /events: the feed of all events, from a cursor, with long polling."""

import asyncio
from typing import Annotated

from fastapi import APIRouter, Query, Response

from stockbuddy.chassis.access.permissions import Permission
from stockbuddy.chassis.http.authentication import Caller, requires
from stockbuddy.chassis.http.errors import raises
from stockbuddy.chassis.http.lightweight_route import LightweightRoute
from stockbuddy.chassis.http.tokens import Principal
from stockbuddy.notifications.consistency import CONSISTENT
from stockbuddy.notifications.dependencies import NotificationsServices, Services
from stockbuddy.notifications.errors import CursorAhead, CursorArchived, TooManyStreams
from stockbuddy.notifications.event_log import queries
from stockbuddy.notifications.event_log.cloudevents import View
from stockbuddy.notifications.event_log.cursors import LogPosition
from stockbuddy.notifications.event_log.filters import find_position
from stockbuddy.notifications.event_log.patterns import ANY_TYPE
from stockbuddy.notifications.event_log.queries import EventSlice
from stockbuddy.notifications.event_log.visibility import visibility_for
from stockbuddy.notifications.feed.schemas import EventFilter, EventPage

router = APIRouter(prefix="/api/v1", tags=["events"], route_class=LightweightRoute)

BEGINNING = LogPosition(0, 0)


@router.get("/events", response_model=EventPage, dependencies=[requires(Permission.EVENT_READ), CONSISTENT])
@raises(CursorAhead, CursorArchived, TooManyStreams)
async def list_events(caller: Caller, services: Services, filters: Annotated[EventFilter, Query()]) -> Response:
    """Read the event log.

    All events that the caller may see, in a stable order, from the cursor `after` on, so that a consumer
    that was not running misses none. Store `next_cursor` with your own data and pass it as `after`; it is set even if
    `items` is empty. With `wait` the request waits for the next event. A cursor that the log does not know gets 409
    `cursor_ahead` with the `head` to continue from; one whose next events are only in archives, 409
    `cursor_archived` with the `start`. Without `after` it begins with the first event that the log has.
    """
    visibility = visibility_for(caller)
    deadline = asyncio.get_running_loop().time() + filters.wait
    types = filters.types or ANY_TYPE
    position = find_position(filters.after) or BEGINNING
    while True:
        async with services.database.reading() as session:
            found = await queries.read_visible(session, visibility, types, position, filters.limit)
        if found.events or not filters.wait or not await _wait_beyond(services, caller, found.position, deadline):
            return _to_response(found, visibility.view)
        position = found.position


async def _wait_beyond(services: NotificationsServices, caller: Principal, after: LogPosition, deadline: float) -> bool:
    """True once the log grows beyond `after`, False if the deadline passes or the process shuts down first. A request
    that waits counts as a stream. Raises TooManyStreams."""
    tail = services.tail
    try:
        with services.stream_slots.take(caller):
            async with asyncio.timeout_at(deadline), tail.subscribe():
                await tail.wait_beyond(after.position)
    except TimeoutError:
        return False
    return not tail.is_closed


def _to_response(found: EventSlice, view: View) -> Response:
    items = ",".join(event.to_json(view) for event in found.events)
    return Response(
        f'{{"items":[{items}],"next_cursor":"{found.position.to_cursor()}"}}', media_type="application/json"
    )
