"""Find users by `case_key`, which unlike `lower` does not depend on the database's locale.

The previous release keeps its unique indexes on `lower`.
"""

from alembic import op

from stockbuddy.chassis.text_keys import CREATE_CASE_KEY, CREATE_TEXT_KEY

revision = "0007"
down_revision = "0006"

# Not unique if users of earlier releases have equal keys: both keep their account.
INDEX = """
    DO $$ BEGIN
        CREATE UNIQUE INDEX {name} ON user_account (case_key({column}));
    EXCEPTION WHEN unique_violation THEN
        CREATE INDEX {name} ON user_account (case_key({column}));
    END $$
"""
STATEMENTS = (
    CREATE_TEXT_KEY,
    CREATE_CASE_KEY,
    INDEX.format(name="user_account_username_by_case", column="username"),
    INDEX.format(name="user_account_email_key_by_case", column="email"),
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.get_bind().exec_driver_sql(statement)
