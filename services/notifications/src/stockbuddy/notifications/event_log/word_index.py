"""The word index of the audit trail. It is updated while nothing is appended, since it would take a seventh of the
processor time of a movement. Until then a search reads the words of the last entries from the log itself.
"""

from stockbuddy.chassis.postgres.database import Database
from stockbuddy.chassis.runtime.background import PollingWorker
from stockbuddy.notifications.event_log import word_queries as queries

POLL_INTERVAL_SECONDS = 2.0
BATCH_SIZE = 2_000
MAX_UNINDEXED = 20_000
"""So many entries are read by a search in less than a second. Beyond them the index is updated under load, too."""


class WordIndex:
    """Updates the index; of several replicas one at a time."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._seen_head = 0

    def worker(self) -> PollingWorker:
        async def is_behind() -> bool:
            return await self._database.exists(queries.IS_BEHIND)

        return PollingWorker(
            "notifications.word_index", self.update, interval_seconds=POLL_INTERVAL_SECONDS, is_due=is_behind
        )

    async def update(self) -> bool:
        """Index the next entries, if none was appended since the last call. Returns whether there are more."""
        async with self._database.transaction() as session:
            state = (await session.execute(queries.LOCK_FREE)).one_or_none()
            if state is None:
                return False
            is_quiet, self._seen_head = state.head == self._seen_head, state.head
            if not is_quiet and state.head - state.indexed <= MAX_UNINDEXED:
                return False
            until = min(state.indexed + BATCH_SIZE, state.head)
            await session.execute(queries.ADD, {"indexed": state.indexed, "until": until})
            await session.execute(queries.MOVE, {"until": until})
        return bool(until < state.head)
