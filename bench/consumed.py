"""Stock movements of the whole system, until every event is in the event log and in the catalogue's stock levels.

Embedded, and on RabbitMQ with a process per service, each compared with pgbench's transaction (bench/stock.py) on the
same PostgreSQL. A movement's CPU time is that of every process, PostgreSQL's and the broker's included; the client's
is not.
"""

import asyncio
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import asyncpg
import psutil
import uvloop

from bench.figures import Figure, Target, at_least, report
from bench.load import Load, drive, median_of
from bench.stock import CREATE_BASELINE, PRODUCTS, ROUNDS, SECONDS, Job, jobs, pgbench, requests, stock_up
from bench.system import System, call, migrate, postgres, process, register_admin, running, wait_until_ready
from stockbuddy.chassis.testing.rabbitmq import rabbitmq_server

SCHEMAS = ("auth", "catalog", "stock", "notifications")
DRAIN_TIMEOUT_SECONDS = 300
TARGETS: Mapping[str, Mapping[str, Target]] = {
    "embedded": {
        "movements over 1,000 products": at_least(0.45),
        "movements in batches of 100": at_least(0.7),
        "movements in batches of 1,000": at_least(0.7),
        "movements by sales of three lines": at_least(0.6),
    },
    "RabbitMQ": {
        "movements over 1,000 products": at_least(0.25),
        "movements in batches of 100": at_least(0.4),
        "movements in batches of 1,000": at_least(0.4),
        "movements by sales of three lines": at_least(0.3),
    },
}
_PUBLISHED = " + ".join(f"(SELECT coalesce(sum(events), 0) FROM {schema}.outbox_chunk)" for schema in SCHEMAS)
_LOGGED = "SELECT position FROM notifications.event_log_head"
_ARE_LEVELS_EQUAL = """
    SELECT NOT EXISTS (SELECT FROM stock.level l LEFT JOIN catalog.stock_level c USING (product_id, warehouse_id, lot)
                       WHERE c.version IS DISTINCT FROM l.version)
"""


@dataclass(frozen=True, slots=True)
class Round:
    """`seconds`: from the first request until all is consumed."""

    load: Load
    movements: int
    seconds: float

    @property
    def rate(self) -> float:
        return self.movements / self.seconds


async def until_consumed(connection: asyncpg.Connection) -> None:
    deadline = time.monotonic() + DRAIN_TIMEOUT_SECONDS
    while time.monotonic() < deadline:
        published = await connection.fetchval(f"SELECT {_PUBLISHED}")
        while await connection.fetchval(_LOGGED) < published and time.monotonic() < deadline:
            await asyncio.sleep(0.02)
        if await connection.fetchval(_ARE_LEVELS_EQUAL):
            if published == await connection.fetchval(f"SELECT {_PUBLISHED}"):
                return
        await asyncio.sleep(0.02)
    raise TimeoutError("events are not consumed")


def cpu_seconds() -> dict[str, float]:
    """CPU time used by the descendants of this process, by part; PostgreSQL's includes that of closed connections."""
    return sum_by_part(used_seconds)


def megabytes() -> dict[str, float]:
    """Proportional set size of the descendants of this process, by part."""
    return sum_by_part(lambda found: found.memory_full_info().pss / 2**20)


def used_seconds(found: psutil.Process) -> float:
    times = found.cpu_times()
    exited = times.children_user + times.children_system if part_of(found) == "postgres" else 0.0
    used: float = times.user + times.system + exited
    return used


def sum_by_part(measure: Callable[[psutil.Process], float]) -> dict[str, float]:
    found: dict[str, float] = {}
    for descendant in psutil.Process().children(recursive=True):
        try:
            part, value = part_of(descendant), measure(descendant)
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
        found[part] = found.get(part, 0.0) + value
    return found


def part_of(found: psutil.Process) -> str:
    name = found.name()
    if name.startswith("postgres"):
        return "postgres"
    if name.startswith(("beam", "erl", "inet_gethost", "epmd", "rabbitmq")):
        return "broker"
    command = found.cmdline()
    module = command[command.index("-m") + 1] if "-m" in command else "other"
    return module.removeprefix("stockbuddy.")


def shown(parts: Mapping[str, float], unit: str) -> str:
    return ", ".join(f"{name} {value:.2f}" for name, value in sorted(parts.items()) if value >= 0.005) + f" {unit}"


async def measure(deployment: str, system: System) -> None:
    connection = await asyncpg.connect(system.database_url)
    await until_consumed(connection)
    at_rest_from, at_rest_cpu = time.monotonic(), cpu_seconds()
    await asyncio.sleep(SECONDS)
    idle = sum(cpu_seconds().values()) - sum(at_rest_cpu.values())
    share = idle / (time.monotonic() - at_rest_from)
    report(Figure("consumed", f"{deployment}: CPU at rest", share * 100, "% of a core"))
    for job in jobs():
        await measure_job(deployment, system, job, connection)
    memory = megabytes()
    detail = shown(memory, "MB")
    report(Figure("consumed", f"{deployment}: memory afterwards", sum(memory.values()), "MB (PSS)", detail=detail))
    await connection.close()


async def measure_job(deployment: str, system: System, job: Job, connection: asyncpg.Connection) -> None:
    sent = requests(job, system.token)
    await drive(system.gateway.port, sent, connections=job.connections, seconds=1)
    await until_consumed(connection)
    baseline: list[Load] = []
    rounds: list[Round] = []
    used: dict[str, float] = {}
    for _ in range(ROUNDS):
        baseline.append(await asyncio.to_thread(pgbench, system.database_url))
        before, started_at = cpu_seconds(), time.perf_counter()
        recorded = await movements_recorded(connection)
        load = await drive(system.gateway.port, sent, connections=job.connections, seconds=SECONDS)
        await until_consumed(connection)
        seconds = time.perf_counter() - started_at
        after = cpu_seconds()
        rounds.append(Round(load, await movements_recorded(connection) - recorded, seconds))
        for name, value in after.items():
            used[name] = used.get(name, 0.0) + value - before.get(name, 0.0)
    consumed = statistics.median(one.rate / other.rate for one, other in zip(rounds, baseline, strict=True))
    answered = median_of([one.load for one in rounds])
    movements = sum(one.movements for one in rounds)
    per_movement = {name: value * 1000 / movements for name, value in used.items()}
    detail = (
        f"{statistics.median(one.rate for one in rounds):,.0f} movements/s; "
        f"answered {answered.rate * job.size:,.0f}/s, p50 {answered.p50:.1f} ms, p99 {answered.p99:.1f} ms; "
        f"CPU {sum(per_movement.values()):.2f} ms per movement: {shown(per_movement, 'ms')}; "
        f"pgbench {median_of(baseline).rate:,.0f}/s"
    )
    target = TARGETS[deployment].get(job.name)
    report(Figure("consumed", f"{deployment}: {job.name}", consumed, "of pgbench's rate", target, detail))


async def movements_recorded(connection: asyncpg.Connection) -> int:
    number: int = await connection.fetchval("SELECT count(*) FROM stock.movement")
    return number


@contextmanager
def embedded(database_url: str) -> Iterator[System]:
    with tempfile.TemporaryDirectory(prefix="stockbuddy-bench-") as folder:
        environment = {
            "ENV": "development",
            "STOCKBUDDY_DATA": folder,
            "LOG_LEVEL": "error",
            "DATABASE_URL": database_url,
            "RATE_LIMIT_CALLER": "1000000/second",
        }
        with process("-m", "stockbuddy.embedded", environment=environment) as started:
            wait_until_ready(started.port)
            yield System(database_url, {"gateway": started}, register_admin(started))


def create_products(system: System) -> None:
    for n in range(1, PRODUCTS + 1):
        body = {"name": f"Product {n}", "sku": f"SKU-{n}", "unit_price": "9.99", "cost_price": "4.5"}
        call(system.gateway.port, "/api/v1/products", body=body, token=system.token)


async def prepare(system: System) -> None:
    connection = await asyncpg.connect(system.database_url, server_settings={"search_path": "stock"})
    await connection.execute(CREATE_BASELINE)
    await until_consumed(connection)
    await connection.close()


def run(deployment: str, system: System) -> None:
    create_products(system)
    uvloop.run(prepare(system))
    stock_up(system)
    uvloop.run(measure(deployment, system))


def main() -> None:
    deployments = os.environ.get("DEPLOYMENTS", "embedded RabbitMQ")
    if "embedded" in deployments:
        with postgres() as url, embedded(url) as system:
            run("embedded", system)
    if "RabbitMQ" in deployments:
        with rabbitmq_server() as broker, postgres() as url:
            bus_url = broker.create()
            migrate(SCHEMAS, url)
            with running("catalog", "stock", "notifications", database_url=url, bus_url=bus_url) as system:
                run("RabbitMQ", system)
            broker.delete(bus_url)


if __name__ == "__main__":
    main()
