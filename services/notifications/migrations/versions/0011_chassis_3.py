"""The chassis' tables, version 3: the outbox in chunks that are marked as sent. The log is published from its head on:
the services have published earlier events to consumers outside the system themselves."""

from alembic import op

from stockbuddy.chassis.postgres.comments import comment_statements
from stockbuddy.chassis.postgres.schema import add_outbox_chunks

revision = "0011"
down_revision = "0010"

# fillfactor: the row changes with every batch, and its versions stay in one page.
PUBLISHED = """
    CREATE TABLE event_log_published (
        singleton boolean PRIMARY KEY DEFAULT true CHECK (singleton),
        position bigint NOT NULL
    ) WITH (fillfactor = 10)
"""
START = "INSERT INTO event_log_published (position) SELECT position FROM event_log_head"
COMMENTS = {
    "event_log_published": {
        "": "How far the log has been published to consumers outside the system; one row.",
        "singleton": "Always true.",
        "position": "Position of the last published event.",
    }
}


def upgrade() -> None:
    add_outbox_chunks()
    for statement in (PUBLISHED, START, *comment_statements(COMMENTS)):
        op.execute(statement)
