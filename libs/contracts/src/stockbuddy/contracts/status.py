"""The state of one service, which the gateway collects for `GET /system/status`."""

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, Field

STATUS_PATH = "/internal/status"
"""GET, with an access token that has `system.read` → ServiceDetails."""


class OutboxState(BaseModel):
    """Committed events that are not published yet."""

    events: Annotated[int, Field(description="How many events wait.")]
    oldest_seconds: Annotated[float, Field(description="Age of the oldest in seconds; 0 if none waits.")]
    dead: Annotated[int, Field(description="Events that the broker refuses, waiting for an operator.")]


class QueueState(BaseModel):
    """What one consumer group has not handled."""

    group: Annotated[str, Field(description="Name of the consumer group, as in docs/events.md.")]
    retry: Annotated[int, Field(description="Messages that wait to be retried after a failure.")]
    parked: Annotated[int, Field(description="Messages that wait for their predecessor.")]
    dead: Annotated[int, Field(description="Dead letters: messages that failed too often, waiting for an operator.")]


class Latency(BaseModel):
    """Time from receiving a request to the start of its response, since the start of the process."""

    requests: Annotated[int, Field(description="How many requests were measured.")]
    p50_seconds: Annotated[float | None, Field(description="Median, interpolated; null without requests.")]
    p99_seconds: Annotated[
        float | None, Field(description="99 % were faster; interpolated, at most 10; null without requests.")
    ]


class ServiceDetails(BaseModel):
    """The state of a service: of its database, and of the replica that has responded."""

    version: Annotated[str, Field(description="Version of the release.")]
    started_at: Annotated[datetime, Field(description="When the replica has started, in UTC.")]
    outbox: Annotated[OutboxState, Field(description="Events that wait to be published.")]
    queues: Annotated[list[QueueState], Field(description="The service's consumer groups.")]
    latency: Annotated[Latency, Field(description="Response times of the replica.")]
