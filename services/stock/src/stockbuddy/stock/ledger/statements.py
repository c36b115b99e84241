"""The ledger's SQL. Everything is set-based: one statement for a group of postings, whatever its size."""

from collections.abc import Sequence

CREATE_LEVELS = """
    INSERT INTO level (product_id, warehouse_id, lot)
    SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bigint[]) AS k(product_id, warehouse_id, lot)
    ORDER BY product_id, warehouse_id, lot
    ON CONFLICT DO NOTHING
"""

# FOR UPDATE stands above the sort, so the rows are locked in this order.
LOCK_LEVELS = """
    SELECT l.product_id, l.warehouse_id, l.lot, p.sku,
           coalesce(p.low_stock_threshold, s.default_low_stock_threshold) AS threshold, p.cost_price,
           l.on_hand, l.reserved, l.version, l.average_cost, l.is_low, l.is_depleted
    FROM unnest($1::bigint[], $2::bigint[], $3::bigint[]) AS k(product_id, warehouse_id, lot)
    JOIN level l USING (product_id, warehouse_id, lot)
    JOIN product p ON p.id = l.product_id
    CROSS JOIN setting s
    ORDER BY l.product_id, l.warehouse_id, l.lot
    FOR UPDATE OF l
"""

OPEN_BOOKS = """
    SELECT clock_timestamp() AS now,
           CAST(CAST(pg_current_xact_id() AS text) AS bigint) AS transaction_id,
           pg_backend_pid() AS backend_id,
           ARRAY(SELECT nextval('movement_id_seq') FROM generate_series(1, $1::integer)) AS movement_ids,
           (SELECT coalesce(CAST(json_object_agg(name, ids) AS text), '{}') FROM (
                SELECT d.name, array_agg(nextval(CAST(d.name || '_id_seq' AS regclass))) AS ids
                FROM unnest($2::text[], $3::integer[]) AS d(name, wanted), generate_series(1, d.wanted)
                GROUP BY d.name) drawn) AS ids,
           (SELECT coalesce(CAST(json_agg(json_build_array(
                w.id, NOT w.deleted, coalesce(w.negative_stock, s.negative_stock) = 'allow')) AS text), '[]')
            FROM warehouse w CROSS JOIN setting s WHERE w.id = ANY($4::bigint[])) AS warehouses
"""

STORED_ANSWERS = """
    SELECT i.caller, i.key, i.fingerprint, i.status, i.body
    FROM unnest($1::text[], $2::text[]) AS k(caller, key) JOIN idempotency_key i USING (caller, key)
"""

REVERSED = "SELECT reverses_id FROM movement WHERE reverses_id = ANY($1::bigint[])"

WRITE = """
    WITH changed AS (
        UPDATE level l
        SET on_hand = n.on_hand, reserved = n.reserved, version = n.version, average_cost = n.average_cost,
            overdrawn = n.overdrawn, is_low = n.is_low, is_depleted = n.is_depleted, updated_at = $41
        FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::numeric[], $5::numeric[], $6::bigint[],
                    $7::numeric[], $8::boolean[], $9::boolean[], $10::boolean[])
            AS n(product_id, warehouse_id, lot, on_hand, reserved, version, average_cost, overdrawn, is_low,
                 is_depleted)
        WHERE (l.product_id, l.warehouse_id, l.lot) = (n.product_id, n.warehouse_id, n.lot)
        RETURNING 1
    ), moved AS (
        INSERT INTO movement (
            id, product_id, warehouse_id, lot, version, movement_type, quantity, before, balance, unit_cost,
            average_cost, went_negative, reference_number, notes, document, reverses_id, performed_by, occurred_at,
            recorded_at)
        SELECT * FROM unnest(
            $11::bigint[], $12::bigint[], $13::bigint[], $14::bigint[], $15::bigint[], $16::text[], $17::numeric[],
            $18::numeric[], $19::numeric[], $20::numeric[], $21::numeric[], $22::boolean[], $23::text[], $24::text[],
            $25::text[], $26::bigint[], $27::bigint[], $28::timestamptz[], $29::timestamptz[])
    ), remembered AS (
        INSERT INTO idempotency_key (caller, key, fingerprint, status, body)
        SELECT * FROM unnest($30::text[], $31::text[], $32::bytea[], $33::smallint[], $34::text[])
    ), said AS (
        INSERT INTO outbox (shard, event_id, routing_key, headers, payload, partition_key)
        SELECT * FROM unnest($35::smallint[], $36::uuid[], $37::text[], $38::json[], $39::json[], $40::text[])
    )
    SELECT count(*) FROM changed
"""

TRANSACTION_STATUS = "SELECT pg_xact_status(CAST(CAST($1::bigint AS text) AS xid8))"
END_TRANSACTION = """
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE pid = $2::integer AND backend_xid = CAST(CAST(CAST($1::bigint AS text) AS xid8) AS xid)
"""


# Names of tables and columns come from our own code, never from a request.


def lock_documents(table: str) -> str:
    return f"SELECT id, version FROM {table} WHERE id = ANY($1::bigint[]) ORDER BY id FOR UPDATE"


def insert_documents(table: str, columns: Sequence[str]) -> str:
    """Rows given as a JSON array of objects."""
    names = ", ".join(columns)
    return f"INSERT INTO {table} ({names}) SELECT {names} FROM jsonb_populate_recordset(NULL::{table}, $1::text::jsonb)"


def update_documents(table: str, columns: Sequence[str]) -> str:
    """Rows given as a JSON array of objects, each with its `id`."""
    changes = ", ".join(f"{column} = n.{column}" for column in columns if column != "id")
    return (
        f"UPDATE {table} t SET {changes} FROM jsonb_populate_recordset(NULL::{table}, $1::text::jsonb) n "
        "WHERE t.id = n.id"
    )
