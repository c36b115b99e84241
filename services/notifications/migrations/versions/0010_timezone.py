"""Replicate the company's time zone, in which filters count days; the log has the settings published last."""

from alembic import op

from stockbuddy.chassis.postgres.comments import comment_statements

revision = "0010"
down_revision = "0009"

COLUMN = "ALTER TABLE company_replica ADD timezone text NOT NULL DEFAULT 'UTC'"
FILL = """
    UPDATE company_replica SET timezone = latest.timezone
    FROM (SELECT data ->> 'timezone' AS timezone FROM event_log WHERE type = 'auth.settings.changed'
          ORDER BY position DESC LIMIT 1) latest
    WHERE latest.timezone IS NOT NULL
"""
COMMENTS = {"company_replica": {"timezone": "IANA time zone of the company."}}


def upgrade() -> None:
    for statement in (COLUMN, FILL, *comment_statements(COMMENTS)):
        op.execute(statement)
