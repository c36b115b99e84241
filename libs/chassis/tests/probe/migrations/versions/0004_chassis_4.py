"""The chassis' tables, version 4: partitions by time."""

from stockbuddy.chassis.postgres.schema import add_partitions_by_time

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    add_partitions_by_time()
