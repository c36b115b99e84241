"""Keep cards correct when a product changes while its category or supplier is renamed concurrently.

Without locks, each transaction misses the other's uncommitted change, or overwrites it. A transaction that writes a
card locks the category and the supplier, current and previous, that the card names (FOR SHARE), and a renaming
transaction waits for it. An advisory lock serialises renames of a category and a supplier that meet on one card.
"""

from alembic import op

revision = "0008"
down_revision = "0007"

STATEMENTS = (
    r"""
    CREATE OR REPLACE FUNCTION follow_products() RETURNS trigger LANGUAGE plpgsql
    SET enable_hashjoin = off SET enable_mergejoin = off SET enable_seqscan = off AS $$
    DECLARE
        more_living bigint;
    BEGIN
        SELECT count(*) INTO more_living FROM changed WHERE deleted_at IS NULL;
        IF TG_OP = 'UPDATE' THEN
            more_living := more_living - (SELECT count(*) FROM former WHERE deleted_at IS NULL);
            PERFORM FROM category WHERE id IN (SELECT category_id FROM changed UNION SELECT category_id FROM former)
            ORDER BY id FOR SHARE;
            PERFORM FROM supplier WHERE id IN (SELECT supplier_id FROM changed UNION SELECT supplier_id FROM former)
            ORDER BY id FOR SHARE;
        ELSE
            PERFORM FROM category WHERE id IN (SELECT category_id FROM changed) ORDER BY id FOR SHARE;
            PERFORM FROM supplier WHERE id IN (SELECT supplier_id FROM changed) ORDER BY id FOR SHARE;
        END IF;
        INSERT INTO product_stock AS s (product_id, living, threshold)
        SELECT id, deleted_at IS NULL, low_stock_threshold FROM changed ORDER BY id
        ON CONFLICT (product_id) DO UPDATE SET living = excluded.living, threshold = excluded.threshold
        WHERE (s.living, s.threshold) IS DISTINCT FROM (excluded.living, excluded.threshold);
        INSERT INTO product_card AS k (product_id, document, search)
        SELECT r.product_id, r.document, r.search FROM changed n JOIN product_rendering r ON r.product_id = n.id
        ON CONFLICT (product_id) DO UPDATE SET document = excluded.document, search = excluded.search;
        PERFORM count_changes(more_living, 1, 0);
        RETURN NULL;
    END
    $$
    """,
    r"""
    CREATE FUNCTION take_turns_with_names() RETURNS void LANGUAGE sql AS $$
        SELECT pg_advisory_xact_lock(hashtext(current_schema() || ' names on cards'))
    $$
    """,
    r"""
    CREATE OR REPLACE FUNCTION follow_category() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF NEW.name <> OLD.name THEN
            PERFORM take_turns_with_names();
            UPDATE product_card k SET document = r.document FROM product_rendering r
            WHERE r.product_id = k.product_id AND r.category_id = NEW.id;
        END IF;
        PERFORM count_changes(0, 1, 0);
        RETURN NULL;
    END
    $$
    """,
    r"""
    CREATE OR REPLACE FUNCTION follow_supplier() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        PERFORM take_turns_with_names();
        UPDATE product_card k SET document = r.document FROM product_rendering r
        WHERE r.product_id = k.product_id AND r.supplier_id = NEW.id;
        RETURN NULL;
    END
    $$
    """,
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.get_bind().exec_driver_sql(statement)
