"""The chassis' tables, and one where a consumer's effects can be counted."""

from alembic import op

from stockbuddy.chassis.postgres.schema import create_chassis_tables

revision = "0001"
down_revision = None


def upgrade() -> None:
    create_chassis_tables()
    op.execute("CREATE TABLE effect (id bigint GENERATED ALWAYS AS IDENTITY, subject text, number integer)")
