"""The feed of events as clients see it."""

from datetime import datetime
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from stockbuddy.notifications.event_log.filters import Cursor, TypesFilter

MAX_LIMIT = 1000
MAX_WAIT_SECONDS = 30


class EventFilter(TypesFilter):
    after: Cursor = Field(None, description="The `next_cursor` of the previous page; without it, from the first event.")
    limit: Annotated[int, Field(ge=1, le=MAX_LIMIT)] = 100
    wait: float = Field(0, ge=0, le=MAX_WAIT_SECONDS, description="Seconds to wait for the first event.")


class CloudEvent(BaseModel):
    """CloudEvents 1.0 in JSON format, with our extensions."""

    model_config = ConfigDict(extra="allow")

    specversion: str
    id: str
    source: str
    type: str
    subject: str | None = None
    time: datetime
    dataschema: str | None = None
    datacontenttype: str | None = None
    sequence: str | None = None
    actorid: str | None = None
    actorname: str | None = None
    clientip: str | None = Field(None, description="Admins only.")
    requestid: str | None = None
    traceparent: str | None = None
    data: Any


class EventPage(BaseModel):
    """Events in the order of the log. `next_cursor` is the `after` of the next request, even if `items` is empty."""

    items: list[CloudEvent]
    next_cursor: str
