"""Categories contain others: filters by category include the products of those below it."""

from alembic import op

from stockbuddy.chassis.postgres.comments import comment_statements

revision = "0062"
down_revision = "0061"

COMMENTS = {"category": {"parent_id": "Category that contains it; null at the top, and until catalog republishes it."}}


def upgrade() -> None:
    op.execute("ALTER TABLE category ADD COLUMN parent_id bigint")
    for statement in comment_statements(COMMENTS):
        op.execute(statement)
