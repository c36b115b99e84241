"""Replicate the company's time zone, in which filters count days."""

from alembic import op

from stockbuddy.chassis.postgres.comments import comment_statements

revision = "0020"
down_revision = "0019"

COLUMNS = """
    ALTER TABLE setting ADD timezone text NOT NULL DEFAULT 'UTC', ADD timezone_version integer NOT NULL DEFAULT 0
"""
COMMENTS = {
    "setting": {
        "timezone": "IANA time zone of the company.",
        "timezone_version": "Version of the settings that the time zone is from.",
    },
}


def upgrade() -> None:
    for statement in (COLUMNS, *comment_statements(COMMENTS)):
        op.execute(statement)
