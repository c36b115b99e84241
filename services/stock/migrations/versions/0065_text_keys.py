"""Search and sort by `text_key`. The previous release keeps its index `customer_by_name` for finding customers."""

from alembic import op

from stockbuddy.chassis.text_keys import CREATE_TEXT_KEY

revision = "0065"
down_revision = "0064"

STATEMENTS = (
    CREATE_TEXT_KEY,
    'CREATE INDEX customer_by_name_key ON customer ((text_key(name) COLLATE "C"), id)',
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.get_bind().exec_driver_sql(statement)
