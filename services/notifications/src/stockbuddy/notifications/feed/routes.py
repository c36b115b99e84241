"""GET /events: how a consumer that was away catches up, and one that is here stays close."""

import asyncio
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from stockbuddy.chassis.postgres.database import Database
from stockbuddy.chassis.http.etags import ConditionalRoute
from stockbuddy.chassis.http.authentication import Caller
from stockbuddy.notifications.event_log import queries
from stockbuddy.notifications.event_log.tail import Feed
from stockbuddy.notifications.event_log.queries import Stretch
from stockbuddy.notifications.event_log.filters import Cursor, RequestedTypes
from stockbuddy.notifications.feed.schemas import EventFeed
from stockbuddy.notifications.event_log.visibility import visibility_of

router = APIRouter(prefix="/api/v1", tags=["events"], route_class=ConditionalRoute)

LARGEST_LIMIT = 1000
LONGEST_WAIT_SECONDS = 30


@router.get("/events", response_model=EventFeed)
async def read_events(
    request: Request,
    caller: Caller,
    types: RequestedTypes,
    after: Annotated[
        Cursor, Query(description="The `next_cursor` of the call before; without one, from the start.")
    ] = "0",
    limit: Annotated[int, Query(ge=1, le=LARGEST_LIMIT)] = 100,
    wait: Annotated[
        float, Query(ge=0, le=LONGEST_WAIT_SECONDS, description="Seconds to wait for the first event.")
    ] = 0,
) -> Response:
    visibility = visibility_of(caller)
    database: Database = request.app.state.database
    feed: Feed = request.app.state.feed
    deadline = asyncio.get_running_loop().time() + wait
    position = int(after)
    while True:
        async with database.reading() as session:
            stretch = await queries.read_visible(session, visibility, types, position, limit)
        if stretch.events or not wait or not await _news(feed, stretch.position, deadline):
            break
        position = stretch.position
    return _answer(stretch, with_client_ip=visibility.with_client_ip)


async def _news(feed: Feed, position: int, deadline: float) -> bool:
    """True as soon as the log goes beyond `position`, false when the deadline passes first."""
    try:
        async with asyncio.timeout_at(deadline):
            async with feed.listen():
                await feed.beyond(position)
    except TimeoutError:
        return False
    return not feed.is_closed


def _answer(stretch: Stretch, *, with_client_ip: bool) -> Response:
    items = ",".join(event.to_json(with_client_ip=with_client_ip) for event in stretch.events)
    return Response(f'{{"items":[{items}],"next_cursor":"{stretch.position}"}}', media_type="application/json")
