"""The composition root: builds the service from its parts."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import cast

import structlog

from stockbuddy.chassis.access.permissions import Permission
from stockbuddy.chassis.encryption import SecretBox
from stockbuddy.chassis.http.personal_data import PersonExport, personal_data_router
from stockbuddy.chassis.http.resources import Resources
from stockbuddy.chassis.http.service_definition import Service, ServiceParts
from stockbuddy.chassis.postgres.migrations import migrations_of
from stockbuddy.chassis.runtime.background import PollingWorker
from stockbuddy.chassis.runtime.failures import is_environment_fault
from stockbuddy.chassis.runtime.shutdown import on_shutdown
from stockbuddy.notifications.audit.routes import router as audit
from stockbuddy.notifications.checkpoints.routes import router as checkpoints
from stockbuddy.notifications.checkpoints.worker import checkpoint_worker
from stockbuddy.notifications.dependencies import NotificationsServices
from stockbuddy.notifications.email.routes import router as emails
from stockbuddy.notifications.email.sender import EmailSender
from stockbuddy.notifications.email.traced_sender import TracedEmailSender
from stockbuddy.notifications.event_log.epochs import start_epoch_after_restore
from stockbuddy.notifications.event_log.external import ExternalPublisher
from stockbuddy.notifications.event_log.redaction import redaction_worker
from stockbuddy.notifications.event_log.tail import LogTail
from stockbuddy.notifications.event_log.word_index import WordIndex
from stockbuddy.notifications.feed.routes import router as feed
from stockbuddy.notifications.inapp.routes import router as notifications
from stockbuddy.notifications.personal_data.queries import OF_CUSTOMER, OF_USER
from stockbuddy.notifications.preferences.routes import router as preferences
from stockbuddy.notifications.retention.worker import retention_worker
from stockbuddy.notifications.settings import NotificationsSettings
from stockbuddy.notifications.stream.routes import router as stream
from stockbuddy.notifications.stream_limits import StreamSlots
from stockbuddy.notifications.subscriptions import CONSUMERS
from stockbuddy.notifications.webhooks.attempt import Attempt, attempt_delivery
from stockbuddy.notifications.webhooks.dispatcher import WebhookDispatcher
from stockbuddy.notifications.webhooks.routes import router as webhooks
from stockbuddy.notifications.webhooks.routes import secret_router as webhook_secrets
from stockbuddy.notifications.webhooks.secrets import encrypt_plain_secrets
from stockbuddy.notifications.webhooks.traced_attempt import attempt_traced

__all__ = ["MIGRATIONS", "SERVICE", "NotificationsSettings"]

log = structlog.get_logger(__name__)

MIGRATIONS = migrations_of(__file__)
PREPARATION_INTERVAL_SECONDS = 3600.0
"""A dump may be restored while the service runs."""


@asynccontextmanager
async def lifespan(resources: Resources) -> AsyncIterator[ServiceParts]:
    """Without SMTP_URL there is no e-mail worker: e-mails stay queued."""
    database, settings = resources.database, cast(NotificationsSettings, resources.settings)
    tail, slots = LogTail(database), StreamSlots(settings.stream_max_per_caller)
    secret_box = SecretBox(settings.secret_key, "notifications")

    async def prepare() -> None:
        await start_epoch_after_restore(database)
        await encrypt_plain_secrets(database, secret_box)

    try:
        await prepare()
    except Exception as error:
        if not is_environment_fault(error):
            raise
        log.warning("notifications.preparation_delayed", error=repr(error))  # the worker repeats it
    preparation = PollingWorker("notifications.preparation", prepare, interval_seconds=PREPARATION_INTERVAL_SECONDS)
    with on_shutdown(tail.close):
        async with WebhookDispatcher(database, settings, secret_box, _attempt(resources)) as dispatcher:
            checkpoint = checkpoint_worker(database, settings, secret_box)
            workers = [preparation, dispatcher.worker, retention_worker(database), checkpoint]
            workers += [redaction_worker(database), WordIndex(database).worker()]
            if settings.external_events and (publish := resources.bus.publish_externally) is not None:
                workers.append(ExternalPublisher(database, publish).worker())
            if settings.smtp_url is not None:
                workers.append(_email_sender(resources, settings).worker)
            services = NotificationsServices(settings, database, tail, dispatcher.resolver, slots, secret_box)
            yield ServiceParts(services, workers, request_workers=[tail.worker])


def _attempt(resources: Resources) -> Attempt:
    return attempt_delivery if resources.tracing is None else partial(attempt_traced, resources.tracing)


def _email_sender(resources: Resources, settings: NotificationsSettings) -> EmailSender:
    if resources.tracing is None:
        return EmailSender(resources.database, settings)
    return TracedEmailSender(resources.database, settings, resources.tracing)


SERVICE = Service(
    name="notifications",
    title="Stockbuddy notifications",
    routers=[
        feed,
        audit,
        checkpoints,
        emails,
        notifications,
        preferences,
        webhooks,
        webhook_secrets,
        stream,
        personal_data_router(
            PersonExport("customer", Permission.CUSTOMER_ERASE, OF_CUSTOMER),
            PersonExport("user", Permission.USER_MANAGE, OF_USER),
        ),
    ],
    consumers=CONSUMERS,
    lifespan=lifespan,
    texts=Path(__file__).with_name("texts.toml"),
    document=Path(__file__).with_name("openapi.json"),
)
