"""Former periods of the event log can be moved to files (docs/adr/0048)."""

from alembic import op

from stockbuddy.chassis.postgres.comments import comment_statements

revision = "0022"
down_revision = "0021"

STATEMENTS = (
    """
    CREATE TABLE event_log_archive (
        last bigint CONSTRAINT event_log_archive_pkey PRIMARY KEY,
        first bigint NOT NULL,
        audited bigint NOT NULL,
        hash bytea NOT NULL,
        file text NOT NULL,
        sha256 text NOT NULL,
        archived_at timestamptz NOT NULL DEFAULT now()
    )
    """,
    """
    CREATE TRIGGER event_log_archive_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON event_log_archive
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_to_rewrite_history()
    """,
)

COMMENTS = {
    "event_log_archive": {
        "": "Parts of the event log that are no longer in it but in files, oldest first; append-only.",
        "last": "The position of the last entry in the file.",
        "first": "The position of the first entry in the file.",
        "audited": "Number of audited entries up to the last one.",
        "hash": "The hash of the last entry, which the first entry of the log continues.",
        "file": "Name of the file, without its directory.",
        "sha256": "Of the file, in hex.",
        "archived_at": "When the entries were removed from the log.",
    },
}


def upgrade() -> None:
    for statement in (*STATEMENTS, *comment_statements(COMMENTS)):
        op.execute(statement)
