"""The feed of events as clients see it."""

from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field


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


class EventFeed(BaseModel):
    """Some events in their order; `next_cursor` goes into `after` of the next call, also when there are none."""

    items: list[CloudEvent]
    next_cursor: str
