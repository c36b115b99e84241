"""Cost of the dashboard, reports, a forecast and reorder suggestions over a million movements.

Each level repeatedly has a receipt and nine sale lines; a sale has three products. Every figure is the median of ROUNDS
in-process requests to the service; the baseline is one scan of the same ledger by PostgreSQL
(`SELECT sum(quantity) FROM movement`).
"""

import asyncio
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import asyncpg
from asgi_lifespan import LifespanManager
from httpx2 import ASGITransport, AsyncClient

from bench.figures import Figure, report, under
from stockbuddy.chassis.http.app import create_app
from stockbuddy.chassis.messaging.bus.inprocess import InProcessBus
from stockbuddy.chassis.postgres.migrations import migrate
from stockbuddy.chassis.runtime.logging import configure_logging
from stockbuddy.chassis.testing.tokens import TestIssuer
from stockbuddy.local_servers.postgres import LocalPostgres
from stockbuddy.stock.app import MIGRATIONS, SERVICE, StockSettings

PRODUCTS = 5001
WAREHOUSES = 2
MOVEMENTS_EACH = 100
ROUNDS = 3
DAYS = 730

TARGET_MILLISECONDS_AS_OF = under(200)
TARGET_MILLISECONDS_INTEGRITY = under(1500)

# $1 products, $2 warehouses, $3 movements of each level, $4 days
FILL = (
    """
    INSERT INTO product (id, version, sku, name, category, owner_id, unit_price, cost_price, low_stock_threshold,
                         deleted, created_at)
    SELECT n, 1, 'SKU-' || n, 'Product ' || n, 'Category ' || n % 20, 1, 5 + n % 7, 2 + n % 5, n % 40, false, now()
    FROM generate_series(1, {products}) n
    """,
    """
    INSERT INTO warehouse (code, name, kind) SELECT 'W' || n, 'Warehouse ' || n, 'store'
    FROM generate_series(2, {warehouses}) n
    """,
    """
    CREATE UNLOGGED TABLE filling AS
    SELECT row_number() OVER (ORDER BY k, w.id, p.id) AS id, p.id AS product_id, w.id AS warehouse_id, k AS version,
           CASE WHEN k % 10 = 1 THEN 'purchase' ELSE 'sale' END AS movement_type,
           CASE WHEN k % 10 = 1 THEN 30 ELSE -3 END AS quantity,
           p.cost_price + (k % 4) * 0.25 AS unit_cost, p.unit_price,
           now() - make_interval(secs => ({each} - k + (p.id / 3 % 997) / 997.0) * {days} * 86400 / {each}) AS at,
           (k * {warehouses} + w.id) * {products} + (p.id - 1) / 3 AS sale_id
    FROM generate_series(1, {each}) k, warehouse w, product p
    """,
    """
    INSERT INTO level (product_id, warehouse_id, lot, on_hand, version, value, last_cost)
    SELECT product_id, warehouse_id, 0, sum(quantity), max(version), sum(quantity * unit_cost), 2.5
    FROM filling GROUP BY 1, 2
    """,
    """
    INSERT INTO movement (id, product_id, warehouse_id, lot, version, movement_type, quantity, before, balance,
                          unit_cost, value, average_cost, went_negative, document, performed_by, occurred_at,
                          recorded_at)
    SELECT id, product_id, warehouse_id, 0, version, movement_type, quantity, balance - quantity, balance,
           unit_cost, quantity * unit_cost, 2.5, false,
           CASE WHEN quantity < 0 THEN 'sale/' || sale_id END, 1, at, at
    FROM (SELECT *, sum(quantity) OVER (PARTITION BY product_id, warehouse_id ORDER BY version) AS balance
          FROM filling) f
    ORDER BY id
    """,
    """
    INSERT INTO sale (id, version, number, status, warehouse_id, discount, total, refunded, cost, profit, sold_by,
                      seller, occurred_at, recorded_at)
    SELECT sale_id, 1, 'S-' || sale_id, 'completed', min(warehouse_id), 0, sum(-quantity * unit_price), 0,
           sum(-quantity * unit_cost), sum(-quantity * (unit_price - unit_cost)), sale_id % 9, 'seller', min(at),
           min(at)
    FROM filling WHERE quantity < 0 GROUP BY sale_id ORDER BY sale_id
    """,
    """
    INSERT INTO sale_line (sale_id, position, product_id, sku, name, quantity, unit_price, discount, total, unit_cost,
                           returned, refunded, movement_id)
    SELECT sale_id, (product_id - 1) % 3, product_id, 'SKU-' || product_id, 'Product ' || product_id, -quantity,
           unit_price, 0, -quantity * unit_price, unit_cost, 0, 0, id
    FROM filling WHERE quantity < 0 ORDER BY id
    """,
    "DROP TABLE filling",
    "SELECT setval('movement_id_seq', (SELECT max(id) FROM movement))",
    "VACUUM ANALYZE",
)


async def main() -> None:
    configure_logging(level="warning", output="console")
    with tempfile.TemporaryDirectory() as folder, LocalPostgres.start(Path(folder) / "data") as postgres:
        await migrate(postgres.url, "stock", MIGRATIONS)
        issuer = TestIssuer()
        # Responses are computed, not kept: `bench.cache` measures those.
        settings = StockSettings(env="development", database_url=postgres.url, cache_seconds=0)
        app = create_app(SERVICE, settings, bus=InProcessBus(), fetch_jwks=issuer.fetch_jwks)
        async with LifespanManager(app, startup_timeout=60, shutdown_timeout=60):
            connection = await asyncpg.connect(postgres.url, server_settings={"search_path": "stock", "jit": "off"})
            await fill(connection)
            transport = ASGITransport(app)
            headers = issuer.headers(1)
            async with AsyncClient(transport=transport, base_url="http://stock", headers=headers, timeout=60) as http:
                await measure(http, connection)
            await connection.close()


async def fill(connection: asyncpg.Connection) -> None:
    started_at = time.perf_counter()
    figures = {"products": PRODUCTS, "warehouses": WAREHOUSES, "each": MOVEMENTS_EACH, "days": DAYS}
    for statement in FILL:
        await connection.execute(statement.format(**figures))
    movements = await connection.fetchval("SELECT count(*) FROM movement")
    sales = await connection.fetchval("SELECT count(*) FROM sale")
    print(f"{movements:,} movements and {sales:,} sales, filled in {time.perf_counter() - started_at:.0f} s\n")


async def measure(http: AsyncClient, connection: asyncpg.Connection) -> None:
    async def scan_ledger() -> int:
        await connection.fetchval("SELECT sum(quantity) FROM movement")
        return 0

    base, _ = await median_milliseconds(scan_ledger)
    for path in paths():
        milliseconds, size = await median_milliseconds(partial(fetch, http, path))
        detail = f"{milliseconds:.0f} ms, {size / 1024:,.0f} KiB; the scan {base:.0f} ms"
        report(Figure("reports", path, milliseconds / base, "scans of the ledger", None, detail))
        if path.startswith("/stock-levels") and "as_of" in path:
            report(Figure("reports", path, milliseconds, "ms", TARGET_MILLISECONDS_AS_OF))
        if path == "/stock/integrity":
            report(Figure("reports", path, milliseconds, "ms", TARGET_MILLISECONDS_INTEGRITY))


def paths() -> list[str]:
    year_ago = (datetime.now(UTC) - timedelta(days=365)).date()
    return [
        "/dashboard/stats",
        "/reports/inventory-valuation",
        f"/reports/inventory-valuation?as_of={year_ago}",
        "/reports/inventory-valuation?method=fifo",
        f"/reports/inventory-valuation?method=fifo&as_of={year_ago}",
        "/reports/sales?group_by=day",
        "/reports/sales?group_by=product",
        f"/reports/sales?group_by=month&from={year_ago}",
        f"/reports/sales?group_by=product&from={year_ago}",
        f"/reports/profit?group_by=month&from={year_ago}",
        "/reports/turnover",
        "/reports/stock-aging",
        "/reports/movements",
        "/reports/dead-stock",
        "/reports/sales?group_by=product&format=csv",
        "/reports/sales?group_by=product&format=xlsx",
        "/forecasts/17",
        "/reorder-suggestions",
        "/stock-levels?page_size=100",
        f"/stock-levels?page_size=100&as_of={year_ago}T00:00:00Z",
        "/stock/integrity",
    ]


async def fetch(http: AsyncClient, path: str) -> int:
    response = await http.get(f"/api/v1{path}")
    if response.status_code != 200:
        raise RuntimeError(f"{path} returned {response.status_code}: {response.text}")
    return len(response.content)


async def median_milliseconds(call: Callable[[], Awaitable[int]]) -> tuple[float, int]:
    """The median of ROUNDS calls after a warm-up call, and the size of the last response."""
    size = await call()
    latencies = []
    for _ in range(ROUNDS):
        started_at = time.perf_counter()
        size = await call()
        latencies.append((time.perf_counter() - started_at) * 1000)
    return statistics.median(latencies), size


if __name__ == "__main__":
    asyncio.run(main())
