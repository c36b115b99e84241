"""Import jobs keep the warehouse restrictions of the user who started them."""

from alembic import op

from stockbuddy.chassis.postgres.comments import comment_statements

revision = "0012"
down_revision = "0011"

COMMENTS = {"import_job": {"warehouse_ids": "Warehouses to which the actor is restricted; null for all."}}


def upgrade() -> None:
    op.execute("ALTER TABLE import_job ADD COLUMN warehouse_ids bigint[]")
    for statement in comment_statements(COMMENTS):
        op.execute(statement)
