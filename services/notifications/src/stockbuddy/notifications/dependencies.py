"""What the service opens for its requests, and the FastAPI dependency that returns it."""

from dataclasses import dataclass
from typing import Annotated, cast

from aiohttp.abc import AbstractResolver
from fastapi import Depends
from starlette.requests import HTTPConnection

from stockbuddy.chassis.encryption import SecretBox
from stockbuddy.chassis.postgres.database import Database
from stockbuddy.notifications.event_log.tail import LogTail
from stockbuddy.notifications.settings import NotificationsSettings
from stockbuddy.notifications.stream_limits import StreamSlots


@dataclass(frozen=True, slots=True)
class NotificationsServices:
    """`resolver` resolves the host names of webhooks; `secret_box` encrypts their secrets."""

    settings: NotificationsSettings
    database: Database
    tail: LogTail
    resolver: AbstractResolver
    stream_slots: StreamSlots
    secret_box: SecretBox


def get_services(request: HTTPConnection) -> NotificationsServices:
    return cast(NotificationsServices, request.app.state.services)


async def _inject_services(request: HTTPConnection) -> NotificationsServices:
    """Asynchronous, because FastAPI calls synchronous dependencies in a thread."""
    return get_services(request)


Services = Annotated[NotificationsServices, Depends(_inject_services)]
