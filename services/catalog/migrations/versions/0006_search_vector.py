"""Build search vectors in a few passes over the text: splitting it into rows took ten times as long."""

from alembic import op

revision = "0006"
down_revision = "0005"

STATEMENTS = (
    # The same words as `words` returns, separated by spaces. Longer words are cut, because a lexeme has at most 2,046
    # bytes; search terms are cut after 50 letters, which still match as prefixes.
    r"""
    CREATE FUNCTION word_text(given text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
        SELECT btrim(regexp_replace(
            CASE WHEN octet_length(given) > 2000
                THEN regexp_replace(plain, '([^[:space:]]{200})[^[:space:]]+', '\1', 'g') ELSE plain END,
            '[^[:alnum:]]+', ' ', 'g'))
        FROM (SELECT lower(CASE WHEN given ~ '[^\u0001-\u007f]'
            THEN regexp_replace(normalize(given, NFKD), '[\u0300-\u036f]', '', 'g') ELSE given END) AS plain) p
    $$
    """,
    r"""
    CREATE FUNCTION weighed(given text, weight text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
        SELECT CASE WHEN given <> '' THEN replace(given, ' ', weight || ' ') || weight ELSE '' END
    $$
    """,
    r"""
    CREATE OR REPLACE FUNCTION search_vector(p product) RETURNS tsvector LANGUAGE plpgsql IMMUTABLE AS $$
    DECLARE
        name text := word_text(p.name);
        sku text := word_text(p.sku);
    BEGIN
        RETURN (weighed(name, ':1A')
            || CASE WHEN name <> '' THEN ' =' || replace(name, ' ', ':1A =') || ':1A ' ELSE ' ' END
            || weighed(sku, ':1B') || ' ' || weighed(replace(sku, ' ', ''), ':1B') || ' '
            || weighed(word_text(array_to_string(p.barcodes, ' ')), ':1B')
            || coalesce(' #' || p.category_id || ':1C ', ' ')
            || coalesce(weighed(word_text(left(p.description, 20000)), ':1D'), ''))::tsvector;
    END
    $$
    """,
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.get_bind().exec_driver_sql(statement)
