"""Add the key that signs the URLs of images."""

from alembic import op

from stockbuddy.chassis.postgres.comments import comment_statements

revision = "0015"
down_revision = "0014"

# The key is created here, once, so that replicas that start at the same time have the same one. A random UUID has 122
# random bits.
STATEMENTS = (
    "CREATE TABLE image_url_key (single boolean PRIMARY KEY DEFAULT true CHECK (single), key bytea NOT NULL)",
    """
    INSERT INTO image_url_key (key)
    VALUES (sha256(convert_to(gen_random_uuid()::text || gen_random_uuid()::text || gen_random_uuid()::text, 'UTF8')))
    """,
)
COMMENTS = {
    "image_url_key": {
        "": "The key that signs the URLs of images. One row.",
        "single": "Always true.",
        "key": "32 random bytes; a new value makes the URLs invalid that are in use.",
    }
}


def upgrade() -> None:
    for statement in (*STATEMENTS, *comment_statements(COMMENTS)):
        op.get_bind().exec_driver_sql(statement)
