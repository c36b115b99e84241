"""The chassis' tables, version 2: refused events of the outbox, and headers of stored responses."""

from stockbuddy.chassis.postgres.schema import add_dead_outbox_and_stored_headers

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    add_dead_outbox_and_stored_headers()
