"""Rename tables, columns, indexes and functions to standard terms.

Bodies of PL/pgSQL functions are text, so those that use a renamed object are created again.
"""

from alembic import op

revision = "0009"
down_revision = "0008"

STATEMENTS = (
    "ALTER TABLE tally RENAME TO change_counter",
    "ALTER TABLE change_counter RENAME COLUMN living TO product_count",
    "ALTER TABLE change_counter RENAME CONSTRAINT tally_pkey TO change_counter_pkey",
    "ALTER TABLE product_stock RENAME COLUMN living TO not_deleted",
    "ALTER INDEX product_sku_living RENAME TO product_sku_unique",
    "ALTER INDEX product_asleep RENAME TO product_inactive",
    "ALTER INDEX category_name_living RENAME TO category_name_unique",
    "ALTER FUNCTION follow_products() RENAME TO refresh_products",
    "ALTER FUNCTION follow_category() RENAME TO refresh_category_cards",
    "ALTER FUNCTION follow_supplier() RENAME TO refresh_supplier_cards",
    "ALTER FUNCTION take_turns_with_names() RENAME TO lock_card_names",
    "DROP FUNCTION count_changes(bigint, integer, integer)",
    # SKIP LOCKED: a writer takes any shard that no concurrent transaction has locked, instead of waiting for one.
    r"""
    CREATE FUNCTION count_changes(added_products bigint, products integer, stock integer) RETURNS void
    LANGUAGE plpgsql AS $$
    DECLARE
        free smallint;
    BEGIN
        SELECT shard INTO free FROM change_counter FOR UPDATE SKIP LOCKED LIMIT 1;
        UPDATE change_counter SET product_count = product_count + added_products,
            product_changes = product_changes + products, stock_changes = stock_changes + stock
        WHERE shard = coalesce(free, pg_backend_pid() % 32);
    END
    $$
    """,
    # The names of categories and suppliers on the cards are locked (FOR SHARE) before the cards are written: see 0008.
    # Plans are cached for the life of a connection, so nested loops are enforced whatever the first statement changed.
    r"""
    CREATE OR REPLACE FUNCTION refresh_products() RETURNS trigger LANGUAGE plpgsql
    SET enable_hashjoin = off SET enable_mergejoin = off SET enable_seqscan = off AS $$
    DECLARE
        added_products bigint;
    BEGIN
        SELECT count(*) INTO added_products FROM changed WHERE deleted_at IS NULL;
        IF TG_OP = 'UPDATE' THEN
            added_products := added_products - (SELECT count(*) FROM former WHERE deleted_at IS NULL);
            PERFORM FROM category WHERE id IN (SELECT category_id FROM changed UNION SELECT category_id FROM former)
            ORDER BY id FOR SHARE;
            PERFORM FROM supplier WHERE id IN (SELECT supplier_id FROM changed UNION SELECT supplier_id FROM former)
            ORDER BY id FOR SHARE;
        ELSE
            PERFORM FROM category WHERE id IN (SELECT category_id FROM changed) ORDER BY id FOR SHARE;
            PERFORM FROM supplier WHERE id IN (SELECT supplier_id FROM changed) ORDER BY id FOR SHARE;
        END IF;
        INSERT INTO product_stock AS s (product_id, not_deleted, threshold)
        SELECT id, deleted_at IS NULL, low_stock_threshold FROM changed ORDER BY id
        ON CONFLICT (product_id) DO UPDATE SET not_deleted = excluded.not_deleted, threshold = excluded.threshold
        WHERE (s.not_deleted, s.threshold) IS DISTINCT FROM (excluded.not_deleted, excluded.threshold);
        INSERT INTO product_card AS k (product_id, document, search)
        SELECT r.product_id, r.document, r.search FROM changed n JOIN product_rendering r ON r.product_id = n.id
        ON CONFLICT (product_id) DO UPDATE SET document = excluded.document, search = excluded.search;
        PERFORM count_changes(added_products, 1, 0);
        RETURN NULL;
    END
    $$
    """,
    r"""
    CREATE OR REPLACE FUNCTION refresh_category_cards() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF NEW.name <> OLD.name THEN
            PERFORM lock_card_names();
            UPDATE product_card k SET document = r.document FROM product_rendering r
            WHERE r.product_id = k.product_id AND r.category_id = NEW.id;
        END IF;
        PERFORM count_changes(0, 1, 0);
        RETURN NULL;
    END
    $$
    """,
    r"""
    CREATE OR REPLACE FUNCTION refresh_supplier_cards() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        PERFORM lock_card_names();
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
