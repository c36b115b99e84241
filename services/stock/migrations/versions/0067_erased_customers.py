"""When the personal data of a customer was erased."""

from alembic import op

from stockbuddy.chassis.postgres.comments import comment_statements

revision = "0067"
down_revision = "0066"

COMMENTS = {"customer": {"erased_at": "When the personal data was erased; null: it was not."}}


def upgrade() -> None:
    op.execute("ALTER TABLE customer ADD COLUMN erased_at timestamptz")
    for statement in comment_statements(COMMENTS):
        op.execute(statement)
