"""The composition root: every part of the service on one screen."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from stockbuddy.chassis.migrations import migrations_of
from stockbuddy.chassis.web import Service
from stockbuddy.notifications.audit.routes import router as audit
from stockbuddy.notifications.event_log.feed import Feed
from stockbuddy.notifications.event_log.routes import router as event_log
from stockbuddy.notifications.settings import NotificationsSettings
from stockbuddy.notifications.subscriptions import CONSUMERS

__all__ = ["MIGRATIONS", "SERVICE", "NotificationsSettings"]

MIGRATIONS = migrations_of(__file__)


@asynccontextmanager
async def open_feed(app: FastAPI) -> AsyncIterator[None]:
    with Feed(app.state.database) as app.state.feed:
        yield


async def read_feed(app: FastAPI) -> None:
    await app.state.feed.run()


SERVICE = Service(
    name="notifications",
    title="Stockbuddy notifications",
    routers=[event_log, audit],
    consumers=CONSUMERS,
    background=[read_feed],
    lifespan=open_feed,
)
