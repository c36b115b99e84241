"""The words of audited entries in a table of their own, whose index is updated while nothing is appended."""

from alembic import op

from stockbuddy.chassis.postgres.comments import comment_statements

revision = "0017"
down_revision = "0015"

STATEMENTS = (
    """
    CREATE TABLE event_log_word (
        position bigint CONSTRAINT event_log_word_pkey PRIMARY KEY,
        words tsvector NOT NULL
    )
    """,
    """
    CREATE TABLE event_log_word_head (
        single boolean DEFAULT true CONSTRAINT event_log_word_head_pkey PRIMARY KEY
            CONSTRAINT event_log_word_head_single_check CHECK (single),
        position bigint NOT NULL
    )
    """,
    # Entries that the previous release appends meanwhile are beyond this position, and read directly.
    "INSERT INTO event_log_word_head (position) SELECT position FROM event_log_head",
    """
    INSERT INTO event_log_word (position, words)
    SELECT position, event_log_words(type, subject, actor, client_ip, data) FROM event_log
    WHERE audited AND position <= (SELECT position FROM event_log_word_head)
    """,
    "CREATE INDEX event_log_word_by_word ON event_log_word USING gin (words)",
    "DROP INDEX event_log_by_word",
)

COMMENTS = {
    "event_log_word": {
        "": "Words of the audited entries of the event log, for searches.",
        "position": "The entry.",
        "words": "Its words, as event_log_words returns them.",
    },
    "event_log_word_head": {
        "": "Up to which entry event_log_word is complete; later entries are searched in the log itself.",
        "single": "Limits the table to one row.",
        "position": "The last entry that was considered.",
    },
}


def upgrade() -> None:
    for statement in (*STATEMENTS, *comment_statements(COMMENTS)):
        op.execute(statement)
