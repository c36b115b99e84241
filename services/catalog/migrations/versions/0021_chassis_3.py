"""The chassis' tables, version 3: the outbox in chunks that are marked as sent."""

from stockbuddy.chassis.postgres.schema import add_outbox_chunks

revision = "0021"
down_revision = "0020"


def upgrade() -> None:
    add_outbox_chunks()
