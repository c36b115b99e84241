"""An index of movements of unknown cost: FIFO replays their products (insights/reports/fifo_queries.py).

Few movements match, so creating it takes a scan of the table, a fraction of a second per million movements.
"""

from alembic import op

revision = "0064"
down_revision = "0063"


def upgrade() -> None:
    op.execute("CREATE INDEX movement_of_unknown_cost ON movement (product_id, occurred_at) WHERE unit_cost IS NULL")
