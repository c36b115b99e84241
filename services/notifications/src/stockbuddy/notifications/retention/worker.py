"""Hourly deletion of expired notifications, e-mails and deliveries."""

from stockbuddy.chassis.postgres.database import Database
from stockbuddy.chassis.runtime.background import PollingWorker
from stockbuddy.notifications.retention.queries import BATCH_SIZE, DELETE_EXPIRED

INTERVAL_SECONDS = 3600


def retention_worker(database: Database) -> PollingWorker:
    async def run() -> None:
        await delete_expired(database)

    return PollingWorker("notifications.retention", run, interval_seconds=INTERVAL_SECONDS)


async def delete_expired(database: Database) -> None:
    for statement in DELETE_EXPIRED:
        handled = BATCH_SIZE
        while handled == BATCH_SIZE:
            async with database.transaction() as session:
                handled = len((await session.execute(statement)).all())
