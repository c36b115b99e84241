"""Background worker that keeps the closing balances up to date."""

from stockbuddy.chassis.postgres.database import Database
from stockbuddy.chassis.runtime.background import PollingWorker
from stockbuddy.stock.insights.history.closing_balances import advance_closing_balances

INTERVAL_SECONDS = 15.0
MAX_LEVELS = 500
MAX_CHANGES = 20_000
"""About a second of work: after a bulk import there are millions, and a statement must end before its timeout."""


def closing_balance_worker(database: Database) -> PollingWorker:
    async def advance() -> bool:
        async with database.transaction() as session:
            return await advance_closing_balances(session, MAX_LEVELS, MAX_CHANGES)

    return PollingWorker("closing_balances", advance, interval_seconds=INTERVAL_SECONDS)
