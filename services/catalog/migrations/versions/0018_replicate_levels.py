"""Replicate stock levels in one call: five statements and their round trips become one."""

from alembic import op

revision = "0018"
down_revision = "0017"

# Each statement of the function has a snapshot of its own, so those after the locks see what their previous holders
# have written.
REPLICATE_LEVELS = """
    CREATE FUNCTION replicate_levels(product_ids bigint[], warehouse_ids bigint[], lots bigint[], versions bigint[],
                                     on_hands numeric[], reserveds numeric[])
    RETURNS void LANGUAGE plpgsql AS $$
    DECLARE
        received bigint[] := ARRAY(SELECT DISTINCT id FROM unnest(product_ids) id ORDER BY id);
        changed bigint[];
    BEGIN
        INSERT INTO product_stock (product_id)
            SELECT id FROM unnest(received) id WHERE NOT EXISTS (SELECT FROM product_stock WHERE product_id = id)
            ON CONFLICT DO NOTHING;
        -- Locked before the levels and in one order: of two transactions with levels of one product, the second waits
        -- here and then sums up what the first has written; without the lock it would not see those levels.
        PERFORM FROM product_stock WHERE product_id = ANY (received) ORDER BY product_id FOR UPDATE;
        WITH written AS (
            INSERT INTO stock_level AS l (product_id, warehouse_id, lot, version, on_hand, reserved)
            SELECT * FROM unnest(product_ids, warehouse_ids, lots, versions, on_hands, reserveds)
            ON CONFLICT (product_id, warehouse_id, lot) DO UPDATE
                SET version = excluded.version, on_hand = excluded.on_hand, reserved = excluded.reserved
                WHERE l.version < excluded.version
            RETURNING product_id)
        SELECT array_agg(DISTINCT product_id) INTO changed FROM written;
        IF changed IS NULL THEN
            RETURN;
        END IF;
        UPDATE product_stock s SET on_hand = t.on_hand, reserved = t.reserved
        FROM (SELECT product_id, sum(on_hand) AS on_hand, sum(reserved) AS reserved FROM stock_level
              WHERE product_id = ANY (changed) GROUP BY product_id) t
        WHERE s.product_id = t.product_id AND (s.on_hand, s.reserved) IS DISTINCT FROM (t.on_hand, t.reserved);
        PERFORM count_changes(0, 0, 1);
    END $$
"""


def upgrade() -> None:
    op.execute(REPLICATE_LEVELS)
