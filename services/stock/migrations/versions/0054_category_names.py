"""The names of categories as they are now: one that is given a new name says so once, not for each of its products."""

from alembic import op

revision = "0054"
down_revision = "0053"

STATEMENTS = (
    # Version 0: the name that the latest product told, of a category that has said nothing itself.
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
