"""SQL of the word index."""

from sqlalchemy import text

_WORDS = "event_log_words(type, subject, actor, client_ip, data)"
# After a crash of PostgreSQL without these commits, the same entries are indexed again.
LOCK_FREE = text("""
    SELECT w.position AS indexed, h.position AS head, set_config('synchronous_commit', 'off', true)
    FROM event_log_word_head w CROSS JOIN event_log_head h FOR UPDATE OF w SKIP LOCKED
""")
ADD = text(f"""
    INSERT INTO event_log_word (position, words)
    SELECT position, {_WORDS} FROM event_log WHERE audited AND position > :indexed AND position <= :until
""")
MOVE = text("UPDATE event_log_word_head SET position = :until")
IS_BEHIND = "SELECT FROM event_log_word_head w CROSS JOIN event_log_head h WHERE w.position < h.position"

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
