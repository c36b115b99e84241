"""Replica of the system settings that the catalog uses."""

from alembic import op

revision = "0005"
down_revision = "0004"

STATEMENTS = (
    """
    CREATE TABLE setting (
        only_row boolean CONSTRAINT setting_pkey PRIMARY KEY DEFAULT true
            CONSTRAINT setting_only_row CHECK (only_row),
        version integer NOT NULL,
        default_low_stock_threshold numeric(15, 3) NOT NULL
    )
    """,
    "INSERT INTO setting (version, default_low_stock_threshold) VALUES (0, 10)",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.get_bind().exec_driver_sql(statement)
