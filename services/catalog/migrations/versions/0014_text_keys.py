"""Search and sort by a key: what people read as equal is equal.

`text_key` is the only rule: case, accents, ligatures, Arabic letter forms and invisible characters do not count. Unlike
`lower` and `[:alnum:]` it does not depend on the database's locale. The previous release keeps its index
`product_by_name`, which a later migration drops.
"""

from alembic import op

from stockbuddy.chassis.text_keys import CREATE_TEXT_KEY

revision = "0014"
down_revision = "0013"

# What separates words: everything below the digits and between the letters of ASCII, punctuation, symbols.
SEPARATORS = (
    r"\u0001-\u002f\u003a-\u0040\u005b-\u0060\u007b-\u00a9\u00ab-\u00b4\u00b6-\u00b9\u00bb-\u00bf\u00d7\u00f7\u037e\u0387"
    r"\u055a-\u055f\u0589\u058a\u05be\u05c0\u05c3\u05c6\u05f3\u05f4\u0600-\u060f\u061b-\u061f\u066a-\u066d\u06d4\u0964\u0965"
    r"\u0e3f\u0e4f\u0e5a\u0e5b\u1680\u2000-\u206f\u20a0-\u20cf\u2100-\u214f\u2190-\u2bff\u2e00-\u2e7f\u3000-\u3004\u3008-\u3020"
    r"\u3030\u3036\u303d-\u303f\u30a0\u30fb\ue000-\uf8ff\ufe10-\ufe6f\uff00-\uff0f\U0001f000-\U0001faff"
)
# Thai, Lao, Burmese, Khmer, kana and Han: written without spaces between words.
UNSPACED = (
    r"\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
)
STATEMENTS = (
    CREATE_TEXT_KEY,
    # The words of a search. Text of scripts without spaces is split into pairs of letters.
    rf"""
    CREATE OR REPLACE FUNCTION words(given text) RETURNS SETOF text LANGUAGE sql IMMUTABLE PARALLEL SAFE ROWS 8 AS $$
        SELECT left(part, 50)
        FROM regexp_split_to_table(
            regexp_replace(text_key(given), '([{UNSPACED}]+)', ' \1 ', 'g'), '[{SEPARATORS}]+') word,
        LATERAL (
            SELECT word WHERE word !~ '[{UNSPACED}]'
            UNION ALL SELECT substr(word, place, 2) FROM generate_series(1, greatest(length(word) - 1, 1)) place
            WHERE word ~ '[{UNSPACED}]'
        ) parts(part)
        WHERE part <> ''
    $$
    """,
    # The words of a stored text, separated by spaces; of scripts without spaces each pair of letters and the last
    # letter, so that every part of the text is found. Long words are cut: a lexeme has at most 2,046 bytes.
    rf"""
    CREATE OR REPLACE FUNCTION word_text(given text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
        SELECT CASE WHEN spaced ~ '[{UNSPACED}]' THEN (
            SELECT string_agg(CASE WHEN word ~ '[{UNSPACED}]' THEN (
                SELECT string_agg(substr(word, place, 2), ' ' ORDER BY place)
                FROM generate_series(1, length(word)) place
                ) ELSE word END, ' ' ORDER BY number)
            FROM regexp_split_to_table(regexp_replace(spaced, '([{UNSPACED}]+)', ' \1 ', 'g'), ' +')
                WITH ORDINALITY parts(word, number)
            WHERE word <> ''
        ) ELSE spaced END
        FROM (SELECT text_key(given)) keys(key),
        LATERAL (SELECT btrim(regexp_replace(
            CASE WHEN octet_length(key) > 2000
                THEN regexp_replace(key, '([^[:space:]]{{200}})[^[:space:]]+', '\1', 'g') ELSE key END,
            '[{SEPARATORS}]+', ' ', 'g'))) spaces(spaced)
    $$
    """,
    r"""
    CREATE OR REPLACE FUNCTION word_vector(given text) RETURNS tsvector LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
        SELECT array_to_tsvector(coalesce(array_agg(DISTINCT word), '{}'))
        FROM regexp_split_to_table(word_text(given), ' ') word WHERE word <> ''
    $$
    """,
    # A restored dump computes the column `category.search` with an empty search path.
    "ALTER FUNCTION word_vector(text) SET search_path FROM CURRENT",
    'CREATE INDEX product_by_name_key ON product ((text_key(name) COLLATE "C"), id) WHERE deleted_at IS NULL',
    "UPDATE category SET search = DEFAULT WHERE octet_length(name) > length(name)",
    """
    UPDATE product_card k SET search = search_vector(p) FROM product p
    WHERE p.id = k.product_id AND k.search IS NOT NULL
        AND octet_length(concat(p.name, p.sku, p.description)) > length(concat(p.name, p.sku, p.description))
    """,
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.get_bind().exec_driver_sql(statement)
