"""Add saved views of lists."""

from alembic import op

from stockbuddy.chassis.postgres.comments import comment_statements

revision = "0016"
down_revision = "0015"

STATEMENTS = (
    """
    CREATE TABLE saved_view (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        owner_id bigint NOT NULL REFERENCES user_account,
        path text NOT NULL,
        name text NOT NULL,
        query text NOT NULL,
        is_shared boolean NOT NULL,
        version bigint NOT NULL,
        created_at timestamptz NOT NULL,
        updated_at timestamptz NOT NULL
    )
    """,
    "CREATE UNIQUE INDEX saved_view_name ON saved_view (owner_id, path, case_key(name))",
    "CREATE INDEX saved_view_shared ON saved_view (path, name) WHERE is_shared",
)

COMMENTS = {
    "saved_view": {
        "": "Filters, sorting and columns of lists that users keep under a name.",
        "id": "Number of the view.",
        "owner_id": "User who has saved it.",
        "path": "The list: the path of its page in the console, as /products.",
        "name": "Name; unique for owner and list, without regard to case.",
        "query": "Filters, sorting and columns: the part of the page's address after the question mark.",
        "is_shared": "Whether all users see it.",
        "version": "Increases by one with each change; also the entity tag.",
        "created_at": "When it was saved.",
        "updated_at": "When it was last changed.",
    },
}


def upgrade() -> None:
    for statement in (*STATEMENTS, *comment_statements(COMMENTS)):
        op.execute(statement)
