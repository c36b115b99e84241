"""Barcodes compare by a key: as scanners, labels and people spell the same code in different ways.

Looked up and unique by `key`; the previous release reads `code`, which stays. Where existing products have codes with
equal keys, the oldest product's code has the key.
"""

from alembic import op

from stockbuddy.chassis.postgres.comments import comment_statements

revision = "0013"
down_revision = "0012"

STATEMENTS = (
    # A GTIN (8, 12, 13 or 14 digits) as 14 digits, an ISBN without its hyphens, letters in one case, no white space or
    # control characters at the ends. Only SQL knows this rule.
    r"""
    CREATE FUNCTION barcode_key(given text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
        SELECT CASE WHEN digits ~ '^([0-9]{8}|[0-9]{12,14})$' THEN lpad(digits, 14, '0') ELSE digits END
        FROM (SELECT upper(btrim(given, E' \t\r\n\x0b\x0c\x1d'))) trimmed(code),
            LATERAL (SELECT CASE
                WHEN replace(code, '-', '') ~ '^(97[89][0-9]{10}|[0-9]{9}[0-9X])$' THEN replace(code, '-', '')
                ELSE code END) isbn(digits)
    $$
    """,
    "ALTER TABLE barcode ADD COLUMN key text",
    """
    UPDATE barcode b SET key = k.key FROM (
        SELECT DISTINCT ON (barcode_key(code)) code, barcode_key(code) AS key
        FROM barcode ORDER BY barcode_key(code), product_id, code
    ) k WHERE b.code = k.code
    """,
    "CREATE UNIQUE INDEX barcode_key_unique ON barcode (key)",
    # Of two codes of one product with equal keys the first is inserted.
    r"""
    CREATE OR REPLACE FUNCTION claim_barcodes() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF TG_OP = 'UPDATE' THEN
            DELETE FROM barcode
            WHERE product_id = NEW.id AND NOT (NEW.deleted_at IS NULL AND code = ANY (NEW.barcodes));
        END IF;
        IF NEW.deleted_at IS NULL THEN
            INSERT INTO barcode (code, key, product_id)
            SELECT DISTINCT ON (barcode_key(wanted.code)) wanted.code, barcode_key(wanted.code), NEW.id
            FROM unnest(NEW.barcodes) WITH ORDINALITY wanted(code, place)
            WHERE NOT EXISTS (
                SELECT FROM barcode b WHERE b.product_id = NEW.id
                AND (b.code = wanted.code OR b.key = barcode_key(wanted.code)))
            ORDER BY barcode_key(wanted.code), wanted.place;
        END IF;
        RETURN NULL;
    END
    $$
    """,
)
COMMENTS = {"barcode": {"key": "Normal form of the code, by which codes are found and unique (function barcode_key)."}}


def upgrade() -> None:
    for statement in (*STATEMENTS, *comment_statements(COMMENTS)):
        op.get_bind().exec_driver_sql(statement)
