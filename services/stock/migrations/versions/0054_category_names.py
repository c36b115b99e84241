"""Replica of catalog's categories: renaming one publishes one event, not one per product."""

from alembic import op

revision = "0054"
down_revision = "0053"

STATEMENTS = (
    # Version 0: the name comes from a product, because no event of the category has arrived.
    """
    CREATE TABLE category (
        id bigint PRIMARY KEY,
        version bigint NOT NULL,
        name text NOT NULL
    )
    """,
    """
    INSERT INTO category (id, version, name)
    SELECT category_id, 0, max(category) FROM product
    WHERE category_id IS NOT NULL AND category IS NOT NULL GROUP BY category_id
    """,
    "CREATE INDEX product_by_category_id ON product (category_id, id) WHERE category_id IS NOT NULL",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
