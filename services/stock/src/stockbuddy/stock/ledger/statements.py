"""The ledger's SQL. Every statement is set-based: one for a group of postings, whatever its size."""

from collections.abc import Sequence

from stockbuddy.chassis.messaging import outbox
from stockbuddy.stock.ledger.rows import IDEMPOTENCY_KEYS, LEVELS, MOVEMENTS

# FOR KEY SHARE: deleting the warehouse waits for the document, or this waits for the deletion, and does not find it.
LOCK_WAREHOUSES = "SELECT id FROM warehouse WHERE id = ANY($1::bigint[]) AND NOT deleted ORDER BY id FOR KEY SHARE"

# Sorted, so that concurrent inserts of the same keys wait for each other instead of deadlocking.
CREATE_LEVELS = """
    INSERT INTO level (product_id, warehouse_id, lot)
    SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bigint[]) AS k(product_id, warehouse_id, lot)
    ORDER BY product_id, warehouse_id, lot
    ON CONFLICT DO NOTHING
"""

# PostgreSQL locks rows after sorting them, so all transactions lock levels in the same order and cannot deadlock.
# OF l: products and settings are only read.
LOCK_LEVELS = """
    SELECT l.product_id, l.warehouse_id, l.lot, p.sku,
           coalesce(p.low_stock_threshold, s.default_low_stock_threshold) AS threshold, p.cost_price,
           p.owner_id, p.inactive_since, l.on_hand, l.reserved, l.version, l.value, l.last_cost, l.is_low,
           l.is_depleted, l.taken_count, l.taken_mean, l.taken_variance, l.added_count, l.added_mean, l.added_variance
    FROM unnest($1::bigint[], $2::bigint[], $3::bigint[]) AS k(product_id, warehouse_id, lot)
    JOIN level l USING (product_id, warehouse_id, lot)
    JOIN product p ON p.id = l.product_id
    CROSS JOIN setting s
    ORDER BY l.product_id, l.warehouse_id, l.lot
    FOR UPDATE OF l
"""

# Run after the locks are held: movement ids and the clock (not now(), the start of the transaction) then increase with
# the versions of a level, and a policy or an idempotency key that another transaction committed meanwhile is seen.
READ_STATE = """
    SELECT clock_timestamp() AS now,
           CAST(CAST(pg_current_xact_id() AS text) AS bigint) AS transaction_id,
           pg_backend_pid() AS backend_id,
           ARRAY(SELECT nextval('movement_id_seq') FROM generate_series(1, $1::integer)) AS movement_ids,
           (SELECT coalesce(CAST(json_object_agg(name, ids) AS text), '{}') FROM (
                SELECT d.name, array_agg(nextval(CAST(d.name || '_id_seq' AS regclass))) AS ids
                FROM unnest($2::text[], $3::integer[]) AS d(name, wanted), generate_series(1, d.wanted)
                GROUP BY d.name) drawn) AS ids,
           (SELECT coalesce(CAST(json_agg(json_build_object(
                'id', w.id, 'is_active', NOT w.deleted,
                'allows_negative', coalesce(w.negative_stock, s.negative_stock) = 'allow')) AS text), '[]')
            FROM warehouse w CROSS JOIN setting s WHERE w.id = ANY($4::bigint[])) AS warehouses,
           (SELECT coalesce(CAST(json_agg(json_build_object(
                'caller', i.caller, 'key', i.key, 'fingerprint', encode(i.fingerprint, 'hex'),
                'status', i.status, 'body', i.body,
                'headers', CAST(coalesce(i.headers, '{}') AS text))) AS text), '[]')
            FROM unnest($5::text[], $6::text[]) AS k(caller, key) JOIN idempotency_key i USING (caller, key)
           ) AS stored_keys
"""

FIND_STORED_KEY = """
    SELECT caller, key, fingerprint, status, body, CAST(coalesce(headers, '{}') AS text) AS headers
    FROM idempotency_key WHERE (caller, key) = ($1, $2)
"""

FIND_REVERSED = "SELECT reverses_id FROM movement WHERE reverses_id = ANY($1::bigint[])"


def _write() -> str:
    """Everything but the documents in one round trip, as data-modifying CTEs. $1 is the time; then come the arrays of
    levels, movements, idempotency keys and events."""
    first_movement = 2 + len(LEVELS.types)
    first_key = first_movement + len(MOVEMENTS.types)
    first_event = first_key + len(IDEMPOTENCY_KEYS.types)
    key = ("product_id", "warehouse_id", "lot")
    assignments = ", ".join(f"{name} = n.{name}" for name in LEVELS.types if name not in key)
    return f"""
        WITH updated_levels AS (
            UPDATE level l SET {assignments}, updated_at = $1
            FROM unnest({LEVELS.parameters(2)}) AS n({LEVELS.names})
            WHERE (l.product_id, l.warehouse_id, l.lot) = (n.product_id, n.warehouse_id, n.lot)
            RETURNING 1
        ), inserted_movements AS (
            INSERT INTO movement ({MOVEMENTS.names}, recorded_at)
            SELECT m.*, $1 FROM unnest({MOVEMENTS.parameters(first_movement)}) AS m
        ), stored_keys AS (
            INSERT INTO idempotency_key ({IDEMPOTENCY_KEYS.names})
            SELECT * FROM unnest({IDEMPOTENCY_KEYS.parameters(first_key)})
        ), inserted_outbox AS (
            {outbox.insert_from_arrays(first_event)}
        )
        SELECT count(*) FROM updated_levels
    """


WRITE = _write()

# Asked on another connection after COMMIT's result was lost.
TRANSACTION_STATUS = "SELECT pg_xact_status(CAST(CAST($1::bigint AS text) AS xid8))"
TERMINATE_TRANSACTION = """
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE pid = $2::integer AND backend_xid = CAST(CAST(CAST($1::bigint AS text) AS xid8) AS xid)
"""


# The names of tables and columns in the following are constants of this service; values are always bound.


def lock_documents(table: str) -> str:
    return f"SELECT id, version FROM {table} WHERE id = ANY($1::bigint[]) ORDER BY id FOR UPDATE"


def insert_documents(table: str, columns: Sequence[str]) -> str:
    """Rows are passed as a JSON array of objects."""
    names = ", ".join(columns)
    return f"INSERT INTO {table} ({names}) SELECT {names} FROM jsonb_populate_recordset(NULL::{table}, $1::text::jsonb)"


def update_documents(table: str, columns: Sequence[str]) -> str:
    """Rows are passed as a JSON array of objects, each with its `id`."""
    assignments = ", ".join(f"{column} = n.{column}" for column in columns if column != "id")
    return (
        f"UPDATE {table} t SET {assignments} FROM jsonb_populate_recordset(NULL::{table}, $1::text::jsonb) n "
        "WHERE t.id = n.id"
    )
