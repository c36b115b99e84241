"""Let the unique index of sale lines cover the query for the best-selling products."""

from alembic import op

revision = "0053"
down_revision = "0052"

STATEMENTS = (
    "ALTER TABLE sale_line DROP CONSTRAINT sale_line_sale_id_position_key",
    """
    ALTER TABLE sale_line ADD CONSTRAINT sale_line_position_unique
        UNIQUE (sale_id, position) INCLUDE (product_id, quantity, total)
    """,
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
