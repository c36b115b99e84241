"""When the personal data of a user was erased."""

from alembic import op

from stockbuddy.chassis.postgres.comments import comment_statements

revision = "0015"
down_revision = "0014"

COMMENTS = {"user_account": {"erased_at": "When the personal data was erased; null: it was not."}}


def upgrade() -> None:
    op.execute("ALTER TABLE user_account ADD COLUMN erased_at timestamptz")
    for statement in comment_statements(COMMENTS):
        op.execute(statement)
