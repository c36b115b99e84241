"""The chassis' tables, version 4: partitions by time."""

from stockbuddy.chassis.postgres.schema import add_partitions_by_time

revision = "0069"
down_revision = "0068"


def upgrade() -> None:
    add_partitions_by_time()
