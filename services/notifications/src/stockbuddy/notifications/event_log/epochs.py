"""Epochs of the log: after a restore a new one begins, so that cursors from before it are recognised."""

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.chassis.postgres.database import Database
from stockbuddy.notifications.event_log import queries
from stockbuddy.notifications.event_log.cursors import next_epoch

log = structlog.get_logger(__name__)


async def start_epoch_after_restore(database: Database) -> None:
    """Begin a new epoch if the log is in other storage than at the last start: a dump was restored."""
    async with database.transaction() as session:
        # Locked first: a new period of the log changes both.
        recorded = await queries.lock_epoch(session)
        storage_id = await queries.read_storage_id(session)
        if recorded.storage_id is None:
            await queries.update_epoch(session, recorded.epoch, storage_id)  # the first start of this log
        elif recorded.storage_id != storage_id:
            await start_epoch(session)


async def start_epoch(session: AsyncSession) -> int:
    """Begin a new epoch. Returns it."""
    recorded = await queries.lock_epoch(session)
    epoch = next_epoch(recorded.epoch)
    await queries.update_epoch(session, epoch, await queries.read_storage_id(session))
    log.warning("event_log.new_epoch", epoch=epoch)
    return epoch
