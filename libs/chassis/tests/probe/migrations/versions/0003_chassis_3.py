"""The chassis' tables, version 3: the outbox in chunks that are marked as sent."""

from stockbuddy.chassis.postgres.schema import add_outbox_chunks

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    add_outbox_chunks()
