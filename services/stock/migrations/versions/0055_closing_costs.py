"""What a unit had cost by the end of a day is what the ledger's latest line up to then says, whenever that was told:
closing balances keep its version. They are worked out anew, piece by piece, once the service runs."""

from alembic import op

revision = "0055"
down_revision = "0054"

STATEMENTS = (
    "TRUNCATE closing_balance, closing_progress",
    # The default is for what runs still as it was before.
    "ALTER TABLE closing_balance ADD COLUMN version bigint NOT NULL DEFAULT 0",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
