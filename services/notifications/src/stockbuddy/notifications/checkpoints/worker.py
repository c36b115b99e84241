"""Signs a checkpoint at each interval in which something was logged."""

from datetime import timedelta
from functools import partial

from stockbuddy.chassis.encryption import SecretBox
from stockbuddy.chassis.postgres.database import Database
from stockbuddy.chassis.runtime.background import PollingWorker
from stockbuddy.notifications.checkpoints.commands import sign_checkpoint
from stockbuddy.notifications.checkpoints.queries import DUE
from stockbuddy.notifications.settings import NotificationsSettings

MAX_POLL_INTERVAL_SECONDS = 30.0


def checkpoint_worker(database: Database, settings: NotificationsSettings, secret_box: SecretBox) -> PollingWorker:
    async def run() -> None:
        async with database.transaction() as session:
            await sign_checkpoint(
                session,
                secret_box,
                max_key_age=timedelta(days=settings.checkpoint_key_days),
                emails=settings.checkpoint_emails,
            )

    return PollingWorker(
        "notifications.checkpoints",
        run,
        interval_seconds=min(settings.checkpoint_seconds, MAX_POLL_INTERVAL_SECONDS),
        is_due=partial(database.exists, DUE, settings.checkpoint_seconds),
    )
