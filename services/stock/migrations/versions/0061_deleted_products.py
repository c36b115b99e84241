"""When a product was deleted: sales that tills made offline before that still arrive.

Of a product deleted before this migration the moment is unknown; its sales are refused as before.
"""

from alembic import op

from stockbuddy.chassis.postgres.comments import comment_statements

revision = "0061"
down_revision = "0060"

COMMENTS = {"product": {"deleted_at": "When it was deleted; null while it exists, or if that is unknown."}}


def upgrade() -> None:
    op.execute("ALTER TABLE product ADD COLUMN deleted_at timestamptz")
    for statement in comment_statements(COMMENTS):
        op.execute(statement)
