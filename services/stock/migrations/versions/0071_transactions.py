"""The transactions that changed data, for cached responses."""

from stockbuddy.chassis.postgres.schema import record_transactions

revision = "0071"
down_revision = "0070"


def upgrade() -> None:
    record_transactions()
