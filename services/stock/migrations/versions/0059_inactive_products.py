"""When a product became inactive: it is no longer sold, purchased, alerted about or suggested.

A product that was inactive before this migration counts as active here until its next change.
"""

from alembic import op

from stockbuddy.chassis.postgres.comments import comment_statements

revision = "0059"
down_revision = "0058"

COMMENTS = {"product": {"inactive_since": "When it became inactive; null while it is active."}}


def upgrade() -> None:
    op.execute("ALTER TABLE product ADD COLUMN inactive_since timestamptz")
    for statement in comment_statements(COMMENTS):
        op.execute(statement)
