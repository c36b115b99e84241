"""Keeps the closing balances up to date in the background."""

from stockbuddy.chassis.postgres.database import Database
from stockbuddy.chassis.runtime.background import PollingWorker
from stockbuddy.stock.insights.history.queries import close_levels

INTERVAL_SECONDS = 15.0
MAX_LEVELS = 500
MAX_CHANGES = 20_000
"""About a second of work: a bulk load leaves millions of changes, and one transaction must stay short."""


def closing_balance_worker(database: Database) -> PollingWorker:
    """Replicas take turns: `close_levels` does nothing while another process holds its advisory lock."""

    async def close() -> bool:
        async with database.transaction() as session:
            return await close_levels(session, MAX_LEVELS, MAX_CHANGES)

    return PollingWorker("history.closing_balances", close, interval_seconds=INTERVAL_SECONDS)
