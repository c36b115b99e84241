"""Personal values apart from the log, which contains placeholders for them, so that they can be erased."""

from alembic import op

from stockbuddy.chassis.postgres.comments import comment_statements

revision = "0013"
down_revision = "0012"

STATEMENTS = (
    """
    CREATE TABLE personal_value (
        placeholder text COLLATE "C" CONSTRAINT personal_value_pkey PRIMARY KEY,
        person text COLLATE "C" NOT NULL,
        value text NOT NULL,
        salt bytea NOT NULL
    )
    """,
    "CREATE INDEX personal_value_by_person ON personal_value (person)",
    # Values may be too long for a B-tree.
    "CREATE INDEX personal_value_by_value ON personal_value USING hash (value)",
    "CREATE INDEX personal_value_by_word ON personal_value USING gin (to_tsvector('simple', left(value, 10000)))",
    """
    CREATE TABLE erased_person (
        person text COLLATE "C" CONSTRAINT erased_person_pkey PRIMARY KEY,
        erased_at timestamptz NOT NULL DEFAULT now()
    )
    """,
)

COMMENTS = {
    "personal_value": {
        "": "Personal values of logged events. The log contains their placeholders; erasing a person deletes the rows.",
        "placeholder": "The word erasable and SHA-256 of salt, person, a zero byte and value, in hex.",
        "person": "Whose value it is, such as customer/5 or user/17.",
        "value": "The value itself.",
        "salt": "Random bytes; without them a placeholder cannot be matched with a guessed value.",
    },
    "erased_person": {
        "": "Persons whose personal data was erased: values of late events are not stored.",
        "person": "The person, such as customer/5.",
        "erased_at": "When the data was erased.",
    },
}


def upgrade() -> None:
    for statement in (*STATEMENTS, *comment_statements(COMMENTS)):
        op.execute(statement)
