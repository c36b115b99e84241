"""The composition root: every part of the service on one screen."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from stockbuddy.chassis.postgres.database import Database
from stockbuddy.chassis.postgres.migrations import migrations_of
from stockbuddy.chassis.runtime.shutdown import on_shutdown
from stockbuddy.chassis.http.app import Service
from stockbuddy.notifications.audit.routes import router as audit
from stockbuddy.notifications.event_log.tail import Feed
from stockbuddy.notifications.feed.routes import router as event_log
from stockbuddy.notifications.inapp.routes import router as notifications
from stockbuddy.notifications.email.sender import MailSender
from stockbuddy.notifications.preferences.routes import router as preferences
from stockbuddy.notifications.retention.worker import run_maintenance
from stockbuddy.notifications.settings import NotificationsSettings
from stockbuddy.notifications.stream.routes import router as stream
from stockbuddy.notifications.subscriptions import CONSUMERS
from stockbuddy.notifications.webhooks.routes import router as webhooks
from stockbuddy.notifications.webhooks.dispatcher import WebhookSender

__all__ = ["MIGRATIONS", "SERVICE", "NotificationsSettings"]

MIGRATIONS = migrations_of(__file__)


@asynccontextmanager
async def open_parts(app: FastAPI) -> AsyncIterator[None]:
    """What works beside the requests, and what they ask it for."""
    database: Database = app.state.database
    settings: NotificationsSettings = app.state.settings
    app.state.feed = feed = Feed(database)
    with on_shutdown(feed.close):
        async with WebhookSender(database, settings) as app.state.webhook_sender:
            yield


async def read_feed(app: FastAPI) -> None:
    await app.state.feed.run()


async def send_webhooks(app: FastAPI) -> None:
    await app.state.webhook_sender.run()


async def send_mails(app: FastAPI) -> None:
    settings: NotificationsSettings = app.state.settings
    if settings.smtp_url is not None:
        await MailSender(app.state.database, settings.smtp_url, settings.mail_from).run()


SERVICE = Service(
    name="notifications",
    title="Stockbuddy notifications",
    routers=[event_log, audit, notifications, preferences, webhooks, stream],
    consumers=CONSUMERS,
    background=[read_feed, send_webhooks, send_mails, run_maintenance],
    lifespan=open_parts,
)
