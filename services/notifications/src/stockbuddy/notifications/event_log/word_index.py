"""The word index of the audit trail. It is updated while nothing is appended, since it would take a seventh of the
processor time of a movement. Until then a search reads the words of the last entries from the log itself.
"""

from sqlalchemy import text

from stockbuddy.chassis.postgres.database import Database
from stockbuddy.chassis.runtime.background import PollingWorker

POLL_INTERVAL_SECONDS = 2.0
BATCH_SIZE = 2_000
MAX_UNINDEXED = 20_000
"""So many entries are read by a search in less than a second. Beyond them the index is updated under load, too."""

_WORDS = "event_log_words(type, subject, actor, client_ip, data)"
# After a crash of PostgreSQL without these commits, the same entries are indexed again.
_LOCK = text("""
    SELECT w.position AS indexed, h.position AS head, set_config('synchronous_commit', 'off', true)
    FROM event_log_word_head w CROSS JOIN event_log_head h FOR UPDATE OF w SKIP LOCKED
""")
_ADD = text(f"""
    INSERT INTO event_log_word (position, words)
    SELECT position, {_WORDS} FROM event_log WHERE audited AND position > :indexed AND position <= :until
""")
_MOVE = text("UPDATE event_log_word_head SET position = :until")
_IS_BEHIND = "SELECT FROM event_log_word_head w CROSS JOIN event_log_head h WHERE w.position < h.position"

LOCK = text("SELECT FROM event_log_word_head FOR UPDATE")
"""For a transaction that changes entries: those that the index does not contain yet are then indexed as changed."""
REFRESH = text(f"""
    UPDATE event_log_word w SET words = {_WORDS} FROM event_log e
    WHERE w.position = ANY(:positions) AND e.position = w.position
""")


def matching(conditions: str) -> str:
    """A SELECT of the positions of the audited entries that have the words of the parameter `search` and fulfil
    `conditions`, which are about columns of the log."""
    join, also = ("JOIN event_log USING (position)", f"AND {conditions}") if conditions else ("", "")
    return f"""
        SELECT position FROM event_log_word {join} WHERE words @@ to_tsquery('simple', :search) {also}
        UNION ALL
        SELECT position FROM event_log
        WHERE audited AND position > (SELECT position FROM event_log_word_head)
          AND {_WORDS} @@ to_tsquery('simple', :search) {also}
    """


class WordIndex:
    """Updates the index; of several replicas one at a time."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._seen_head = 0

    def worker(self) -> PollingWorker:
        async def is_behind() -> bool:
            return await self._database.exists(_IS_BEHIND)

        return PollingWorker(
            "notifications.word_index", self.update, interval_seconds=POLL_INTERVAL_SECONDS, is_due=is_behind
        )

    async def update(self) -> bool:
        """Index the next entries, if none was appended since the last call. Returns whether there are more."""
        async with self._database.transaction() as session:
            state = (await session.execute(_LOCK)).one_or_none()
            if state is None:
                return False
            is_quiet, self._seen_head = state.head == self._seen_head, state.head
            if not is_quiet and state.head - state.indexed <= MAX_UNINDEXED:
                return False
            until = min(state.indexed + BATCH_SIZE, state.head)
            await session.execute(_ADD, {"indexed": state.indexed, "until": until})
            await session.execute(_MOVE, {"until": until})
        return bool(until < state.head)
