"""Hourly deletion of expired notifications, e-mails and deliveries."""

from stockbuddy.chassis.messaging import outbox
from stockbuddy.chassis.postgres.database import Database
from stockbuddy.chassis.runtime.background import PollingWorker
from stockbuddy.contracts.notifications import NotificationEmailFailed
from stockbuddy.notifications.retention.queries import BATCH_SIZE, DELETE_EXPIRED, fail_unsent_emails

INTERVAL_SECONDS = 3600


def retention_worker(database: Database) -> PollingWorker:
    async def run() -> None:
        await delete_expired(database)

    return PollingWorker("notifications.retention", run, interval_seconds=INTERVAL_SECONDS)


async def delete_expired(database: Database) -> None:
    while await _fail_unsent_emails(database):
        pass
    for statement in DELETE_EXPIRED:
        handled = BATCH_SIZE
        while handled == BATCH_SIZE:
            async with database.transaction() as session:
                handled = len((await session.execute(statement)).all())


async def _fail_unsent_emails(database: Database) -> bool:
    """False if there are no more."""
    async with database.transaction() as session:
        failed = await fail_unsent_emails(session)
        for email in failed:
            outbox.add(
                session,
                NotificationEmailFailed(
                    message_id=email.message_id,
                    kind=email.kind,
                    recipient=email.recipient,
                    attempts=email.attempts,
                    reason=email.last_error,
                ),
            )
    return bool(failed)
