"""The chassis' tables, version 4: partitions by time."""

from stockbuddy.chassis.postgres.schema import add_partitions_by_time

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    add_partitions_by_time()
