"""Add stream tickets."""

from alembic import op

from stockbuddy.chassis.postgres.comments import comment_statements

revision = "0006"
down_revision = "0005"

# No foreign key: a ticket lives for a minute, its session for weeks.
TABLE = """
    CREATE TABLE stream_ticket (
        digest bytea PRIMARY KEY,
        session_id uuid NOT NULL,
        expires_at timestamptz NOT NULL
    )
"""

COMMENTS = {
    "stream_ticket": {
        "": "Tickets that open one stream each, in place of an access token; deleted by their use.",
        "digest": "SHA-256 of the ticket.",
        "session_id": "Session that created the ticket.",
        "expires_at": "When the ticket becomes invalid.",
    },
}


def upgrade() -> None:
    op.execute(TABLE)
    for statement in comment_statements(COMMENTS):
        op.execute(statement)
