"""The language and the link of e-mails."""

from alembic import op

from stockbuddy.chassis.postgres.comments import comment_statements

revision = "0021"
down_revision = "0020"

# Replicas of the earlier release insert e-mails without them while an upgrade is running.
STATEMENTS = ("ALTER TABLE queued_email ADD language text NOT NULL DEFAULT 'en', ADD path text",)

COMMENTS = {
    "queued_email": {
        "language": "Language of the content: en, de or es.",
        "path": "Path of the console's page that the e-mail links to; null: no link.",
    },
}


def upgrade() -> None:
    for statement in (*STATEMENTS, *comment_statements(COMMENTS)):
        op.execute(statement)
