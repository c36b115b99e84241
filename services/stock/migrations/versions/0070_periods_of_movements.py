"""Movements in one table for each period (docs/adr/0044); all are kept.

Foreign keys to movements would see the current period only. Lines refer to movements that are written in the same
transaction, and movements are never changed or removed.
"""

from alembic import op

from stockbuddy.chassis.postgres.comments import comment_statements
from stockbuddy.chassis.postgres.partitions import STEP_HEAD

revision = "0070"
down_revision = "0069"

STATEMENTS = (
    "ALTER TABLE sale_line DROP CONSTRAINT sale_line_movement_id_fkey",
    "ALTER TABLE sale_return_line DROP CONSTRAINT sale_return_line_movement_id_fkey",
    "ALTER TABLE stock_count_line DROP CONSTRAINT stock_count_line_movement_id_fkey",
    "ALTER TABLE purchase_receipt_line DROP CONSTRAINT purchase_receipt_line_movement_id_fkey",
    "ALTER TABLE movement DROP CONSTRAINT movement_reverses_id_fkey",
    f"""
    CREATE FUNCTION keep_movements() {STEP_HEAD}
    BEGIN
        IF is_period_over('movement', 'id', 'recorded_at') THEN
            PERFORM start_period('movement', 'ORDER BY id DESC LIMIT 1000');
        END IF;
    END $$
    """,
)

COMMENTS = {
    "movement": {
        "": "The ledger: every change of on_hand; rows are never updated or deleted. Those of former periods are in "
        "tables that inherit from this one."
    }
}


def upgrade() -> None:
    for statement in (*STATEMENTS, *comment_statements(COMMENTS)):
        op.execute(statement)
