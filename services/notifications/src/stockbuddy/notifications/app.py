"""The composition root: builds the service from its parts."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import cast

from stockbuddy.chassis.http.app import Service, ServiceParts
from stockbuddy.chassis.http.resources import Resources
from stockbuddy.chassis.postgres.migrations import migrations_of
from stockbuddy.chassis.runtime.shutdown import on_shutdown
from stockbuddy.notifications.audit.routes import router as audit
from stockbuddy.notifications.dependencies import NotificationsServices
from stockbuddy.notifications.email.sender import EmailSender
from stockbuddy.notifications.event_log.tail import LogTail
from stockbuddy.notifications.feed.routes import router as feed
from stockbuddy.notifications.inapp.routes import router as notifications
from stockbuddy.notifications.preferences.routes import router as preferences
from stockbuddy.notifications.retention.worker import retention_worker
from stockbuddy.notifications.settings import NotificationsSettings
from stockbuddy.notifications.stream.routes import router as stream
from stockbuddy.notifications.subscriptions import CONSUMERS
from stockbuddy.notifications.webhooks.dispatcher import WebhookDispatcher
from stockbuddy.notifications.webhooks.routes import router as webhooks

__all__ = ["MIGRATIONS", "SERVICE", "NotificationsSettings"]

MIGRATIONS = migrations_of(__file__)


@asynccontextmanager
async def lifespan(resources: Resources) -> AsyncIterator[ServiceParts]:
    """Without SMTP_URL there is no e-mail worker: e-mails stay queued."""
    database, settings = resources.database, cast(NotificationsSettings, resources.settings)
    tail = LogTail(database)
    with on_shutdown(tail.close):
        async with WebhookDispatcher(database, settings) as dispatcher:
            workers = [tail.worker, dispatcher.worker, retention_worker(database)]
            if settings.smtp_url is not None:
                workers.append(EmailSender(database, settings.smtp_client, settings.mail_from).worker)
            yield ServiceParts(NotificationsServices(settings, database, tail, dispatcher.resolver), workers)


SERVICE = Service(
    name="notifications",
    title="Stockbuddy notifications",
    routers=[feed, audit, notifications, preferences, webhooks, stream],
    consumers=CONSUMERS,
    lifespan=lifespan,
)
