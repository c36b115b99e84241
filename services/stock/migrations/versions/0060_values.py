"""Exact values: of movements, levels, goods in transit, sale lines and closing balances (ADR 19).

The ledger is replayed once, product by product in the order of movement ids, with the arithmetic of the service. The
replay takes about a minute per million movements; postings wait for it.

Columns of the previous release stay: its replicas serve until they are replaced. Its closing balances are left to it;
the new ones are computed in the background.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import groupby
from typing import Any

from alembic import op
from sqlalchemy import Connection, Row, text

from stockbuddy.chassis.postgres.comments import comment_statements
from stockbuddy.stock.ledger.costing import ZERO, Stated, StockValue, share_of

revision = "0060"
down_revision = "0059"

BATCH_ROWS = 10_000

TABLES = (
    """
    ALTER TABLE level
        ADD COLUMN value numeric(28, 10) NOT NULL DEFAULT 0,
        ADD COLUMN last_cost numeric(28, 10)
    """,
    """
    ALTER TABLE movement
        ADD COLUMN value numeric(28, 10) NOT NULL DEFAULT 0,
        ADD COLUMN correction numeric(28, 10) NOT NULL DEFAULT 0,
        ADD COLUMN cost_stated boolean NOT NULL DEFAULT false
    """,
    "ALTER TABLE stock_transfer_line ADD COLUMN value_in_transit numeric(28, 10) NOT NULL DEFAULT 0",
    """
    ALTER TABLE sale_line
        ADD COLUMN cost numeric(28, 10),
        ADD COLUMN cost_returned numeric(28, 10) NOT NULL DEFAULT 0
    """,
    "ALTER TABLE sale_return_line ADD COLUMN cost numeric(28, 10)",
    "ALTER TABLE sale ADD COLUMN voided_at timestamptz",
    "CREATE INDEX sale_by_void ON sale (voided_at) WHERE voided_at IS NOT NULL",
    """
    CREATE TABLE closing_stock (
        product_id bigint NOT NULL,
        warehouse_id bigint NOT NULL,
        lot bigint NOT NULL,
        day date NOT NULL,
        on_hand numeric(18, 3) NOT NULL,
        value numeric(28, 10) NOT NULL,
        last_occurred_at timestamptz NOT NULL,
        PRIMARY KEY (product_id, warehouse_id, lot, day),
        FOREIGN KEY (product_id, warehouse_id, lot) REFERENCES level
    )
    """,
    """
    CREATE TABLE closing_stock_progress (
        product_id bigint NOT NULL,
        warehouse_id bigint NOT NULL,
        lot bigint NOT NULL,
        version bigint NOT NULL,
        PRIMARY KEY (product_id, warehouse_id, lot),
        FOREIGN KEY (product_id, warehouse_id, lot) REFERENCES level
    )
    """,
)
_LEVEL_KEY = {"product_id": "Product.", "warehouse_id": "Warehouse.", "lot": "Lot; 0 is stock without a lot."}
COMMENTS = {
    "level": {
        "value": "Exact value of on_hand at moving average cost: the sum of its movements' values.",
        "last_cost": "Average cost of a unit when on_hand was last positive; null if no cost has been known yet.",
        "average_cost": "Written for the previous release only; the average is value divided by on_hand.",
    },
    "movement": {
        "value": "Exact signed change of the value of the level.",
        "correction": "Part of value that is not of the goods moved: the cost of other stock has become known.",
        "cost_stated": "True for outgoing stock whose unit cost was stated: it leaves at that cost.",
    },
    "stock_transfer_line": {"value_in_transit": "Exact value of the quantity in transit."},
    "sale_line": {
        "cost": "Exact value of the stock sold; null if unknown.",
        "cost_returned": "Exact value of the stock that came back since.",
    },
    "sale_return_line": {"cost": "Exact value of the stock put back; null if unknown or not restocked."},
    "sale": {
        "voided_at": "When the sale was voided; reports count the void on that day.",
        "cost": "Cost of the lines, less what came back; null if one is unknown.",
        "profit": "Total less refunds and cost; null if the cost is unknown.",
    },
    "closing_stock": {
        "": "Stock at the end of each day (UTC, by occurred_at) on which a level changed; a cache for past levels.",
        **_LEVEL_KEY,
        "day": "Day in UTC.",
        "on_hand": "Quantity at the end of the day.",
        "value": "Exact value at the end of the day: the sum of the changes that had occurred by then.",
        "last_occurred_at": "When the last movement of the day occurred.",
    },
    "closing_stock_progress": {
        "": "How far the closing balances include the movements of each level.",
        **_LEVEL_KEY,
        "version": "Newest version that is included.",
    },
    "closing_balance": {"": "Closing balances of the previous release; not read."},
    "closing_progress": {"": "Progress of the closing balances of the previous release; not read."},
}

# `source_id`: the movement whose goods come back with a return or a reversal. Not a temporary table, which would need a
# privilege.
_LINKS = (
    """
    CREATE TABLE movement_link AS
    SELECT id AS movement_id, reverses_id AS source_id FROM movement WHERE reverses_id IS NOT NULL
    UNION ALL
    SELECT r.movement_id, l.movement_id
    FROM sale_return_line r JOIN sale_line l ON l.id = r.sale_line_id WHERE r.movement_id IS NOT NULL
    """,
    "CREATE INDEX ON movement_link (movement_id)",
    "CREATE INDEX ON movement_link (source_id)",
    "ANALYZE movement_link",
)
_BATCH = text("""
    SELECT m.id, m.product_id, m.warehouse_id, m.lot, m.movement_type, m.quantity, m.unit_cost, m.average_cost,
           m.before, CASE WHEN m.document LIKE 'stock_transfer/%' THEN m.document END AS transfer, m.document,
           k.source_id, EXISTS (SELECT FROM movement_link s WHERE s.source_id = m.id) AS is_source
    FROM movement m LEFT JOIN movement_link k ON k.movement_id = m.id
    WHERE (m.product_id, m.id) > (:product_id, :id) ORDER BY m.product_id, m.id LIMIT :rows
""")
_SAVE_MOVEMENTS = text("""
    UPDATE movement m SET value = n.value, correction = n.correction, cost_stated = n.cost_stated
    FROM unnest(CAST(:ids AS bigint[]), CAST(:values AS numeric[]), CAST(:corrections AS numeric[]),
                CAST(:stated AS boolean[])) AS n(id, value, correction, cost_stated)
    WHERE m.id = n.id
""")
_SAVE_LEVELS = text("""
    UPDATE level l SET value = n.value, last_cost = n.last_cost
    FROM unnest(CAST(:warehouse_ids AS bigint[]), CAST(:lots AS bigint[]), CAST(:values AS numeric[]),
                CAST(:costs AS numeric[])) AS n(warehouse_id, lot, value, last_cost)
    WHERE (l.product_id, l.warehouse_id, l.lot) = (:product_id, n.warehouse_id, n.lot)
""")
_OPEN_LINES = text("""
    SELECT id, in_transit FROM stock_transfer_line
    WHERE transfer_id = :transfer_id AND product_id = :product_id AND lot = :lot AND in_transit > 0 ORDER BY id
""")
_SAVE_LINE = text("UPDATE stock_transfer_line SET value_in_transit = :value WHERE id = :id")

DOCUMENTS = (
    # Products with such movements are replayed for FIFO (insights/reports/fifo_queries.py).
    """
    CREATE INDEX movement_linked ON movement (product_id, occurred_at)
    WHERE reverses_id IS NOT NULL OR cost_stated OR movement_type IN ('return', 'transfer_in', 'transfer_out')
    """,
    """
    UPDATE sale_return_line r SET cost = m.value - m.correction FROM movement m
    WHERE m.id = r.movement_id AND m.unit_cost IS NOT NULL
    """,
    """
    UPDATE sale_line l SET cost = m.correction - m.value,
        cost_returned = CASE WHEN s.status = 'voided' THEN m.correction - m.value ELSE
            coalesce((SELECT sum(r.cost) FROM sale_return_line r WHERE r.sale_line_id = l.id), 0) END
    FROM movement m, sale s WHERE m.id = l.movement_id AND s.id = l.sale_id AND l.unit_cost IS NOT NULL
    """,
    """
    UPDATE sale s SET cost = n.cost, profit = s.total - s.refunded - n.cost
    FROM (SELECT sale_id, round(sum(cost - cost_returned), 4) AS cost FROM sale_line GROUP BY sale_id) n
    WHERE n.sale_id = s.id AND s.status <> 'completed' AND s.cost IS NOT NULL
    """,
    """
    UPDATE sale s SET voided_at = coalesce(
        (SELECT max(m.recorded_at) FROM movement m WHERE m.document = 'sale/' || s.id AND m.reverses_id IS NOT NULL),
        s.recorded_at)
    WHERE s.status = 'voided'
    """,
    # Replicas of the previous release void sales without the time.
    """
    CREATE FUNCTION set_voided_at() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        NEW.voided_at := clock_timestamp();
        RETURN NEW;
    END $$
    """,
    """
    CREATE TRIGGER sale_void_is_dated BEFORE UPDATE ON sale
        FOR EACH ROW WHEN (NEW.status = 'voided' AND NEW.voided_at IS NULL) EXECUTE FUNCTION set_voided_at()
    """,
)


@dataclass
class _Goods:
    """What is left of goods that left a level: of a source movement, or in transit."""

    quantity: Decimal = ZERO
    value: Decimal = ZERO
    unit_cost: Decimal | None = None

    def take(self, quantity: Decimal) -> Stated:
        value = share_of(self.value, quantity, self.quantity)
        self.quantity -= quantity
        self.value -= value
        return Stated(self.unit_cost, value)


@dataclass
class ProductReplay:
    """The levels of one product, its goods in transit by transfer and lot, and its source movements."""

    levels: dict[tuple[int, int], StockValue] = field(default_factory=dict)
    in_transit: defaultdict[tuple[str, int], _Goods] = field(default_factory=lambda: defaultdict(_Goods))
    sources: dict[int, _Goods] = field(default_factory=dict)

    def value_of(self, row: Row[Any]) -> tuple[Decimal, Decimal, bool]:
        """Value and correction of the next movement, and whether its unit cost was stated although it is outgoing."""
        key = (row.warehouse_id, row.lot)
        level = self.levels.get(key, StockValue(ZERO, ZERO, None))
        stated = self._stated(row)
        valuation = level.valuate(row.quantity, stated, row.unit_cost)
        self.levels[key] = level.after(row.quantity, valuation)
        goods = _Goods(abs(row.quantity), abs(valuation.goods), row.unit_cost)
        if row.is_source:
            self.sources[row.id] = goods
        if row.transfer is not None and row.movement_type == "transfer_out":
            moving = self.in_transit[row.transfer, row.lot]
            moving.quantity, moving.value = moving.quantity + goods.quantity, moving.value + goods.value
            moving.unit_cost = row.unit_cost
        return valuation.value, valuation.correction, row.quantity < 0 and stated.unit_cost is not None

    def _stated(self, row: Row[Any]) -> Stated:
        source = self.sources.get(row.source_id)
        if source is None and row.transfer is not None and row.movement_type == "transfer_in":
            source = self.in_transit[row.transfer, row.lot]
        if source is not None and abs(row.quantity) <= source.quantity and source.unit_cost is not None:
            return source.take(abs(row.quantity))
        if row.quantity > 0:
            # Stock of no stated cost was recorded at the average, which it left unchanged.
            is_average = row.movement_type not in ("purchase", "in") and row.before > 0
            return Stated(None if is_average and row.unit_cost == row.average_cost else row.unit_cost)
        # Stock that left at the average was recorded at it.
        is_stated = row.document is None and row.average_cost is not None and row.unit_cost != row.average_cost
        return Stated(row.unit_cost if is_stated else None)


def upgrade() -> None:
    for statement in (*TABLES, *_LINKS, "ALTER TABLE movement DISABLE TRIGGER movement_is_append_only"):
        op.execute(statement)
    replay(op.get_bind())
    for statement in (
        "DROP TABLE movement_link",
        "ALTER TABLE movement ENABLE TRIGGER movement_is_append_only",
        *DOCUMENTS,
    ):
        op.execute(statement)
    for statement in comment_statements(COMMENTS):
        op.execute(statement)


def replay(connection: Connection) -> None:
    for product_id, rows in groupby(_movements(connection), key=lambda row: row.product_id):
        product = ProductReplay()
        for batch in _batches(rows):
            valued = [(row.id, *product.value_of(row)) for row in batch]
            columns = dict(zip(("ids", "values", "corrections", "stated"), zip(*valued, strict=True), strict=True))
            connection.execute(_SAVE_MOVEMENTS, columns)
        _save_levels(connection, product_id, product.levels)
        _save_transit(connection, product_id, product.in_transit)


def _movements(connection: Connection) -> Iterator[Row[Any]]:
    """By product and id, read in batches."""
    product_id, last_id = 0, 0
    while rows := connection.execute(_BATCH, {"product_id": product_id, "id": last_id, "rows": BATCH_ROWS}).all():
        yield from rows
        product_id, last_id = rows[-1].product_id, rows[-1].id


def _batches(rows: Iterable[Row[Any]]) -> Iterator[list[Row[Any]]]:
    batch: list[Row[Any]] = []
    for row in rows:
        batch.append(row)
        if len(batch) == BATCH_ROWS:
            yield batch
            batch = []
    if batch:
        yield batch


def _save_levels(connection: Connection, product_id: int, levels: dict[tuple[int, int], StockValue]) -> None:
    warehouse_ids, lots = zip(*levels, strict=True)
    values = [level.value for level in levels.values()]
    costs = [level.last_cost for level in levels.values()]
    parameters = {"product_id": product_id, "warehouse_ids": warehouse_ids, "lots": lots}
    connection.execute(_SAVE_LEVELS, parameters | {"values": values, "costs": costs})


def _save_transit(connection: Connection, product_id: int, in_transit: dict[tuple[str, int], _Goods]) -> None:
    for (transfer, lot), goods in in_transit.items():
        if goods.quantity:
            parameters = {"transfer_id": int(transfer.partition("/")[2]), "product_id": product_id, "lot": lot}
            for line in connection.execute(_OPEN_LINES, parameters).all():
                connection.execute(_SAVE_LINE, {"id": line.id, "value": goods.take(line.in_transit).value})
