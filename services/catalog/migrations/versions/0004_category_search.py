"""Store the words of categories' names, so that a search need not split every name."""

from alembic import op

revision = "0004"
down_revision = "0003"

STATEMENTS = (
    r"""
    CREATE FUNCTION word_vector(given text) RETURNS tsvector LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
        SELECT array_to_tsvector(coalesce(array_agg(DISTINCT word), '{}')) FROM words(given) word
    $$
    """,
    "ALTER TABLE category ADD COLUMN search tsvector GENERATED ALWAYS AS (word_vector(name)) STORED",
    "CREATE INDEX category_search ON category USING gin (search) WITH (fastupdate = off) WHERE deleted_at IS NULL",
    r"""
    CREATE OR REPLACE FUNCTION search_query(given text) RETURNS tsquery LANGUAGE plpgsql STABLE AS $$
    DECLARE
        word text;
        alternatives text;
        wanted text := '';
    BEGIN
        FOR word IN SELECT DISTINCT w FROM words(given) w LIMIT 10 LOOP
            WITH RECURSIVE named AS (
                SELECT id FROM category WHERE deleted_at IS NULL AND search @@ (word || ':*')::tsquery
                UNION SELECT c.id FROM category c JOIN named n ON c.parent_id = n.id WHERE c.deleted_at IS NULL
            )
            SELECT string_agg(' | ''#' || id || '''', '') INTO alternatives FROM named;
            wanted := wanted || CASE wanted WHEN '' THEN '' ELSE ' & ' END
                || '(' || word || ':*' || coalesce(alternatives, '') || ')';
        END LOOP;
        RETURN wanted::tsquery;
    END
    $$
    """,
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.get_bind().exec_driver_sql(statement)
