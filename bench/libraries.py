"""Own code compared with the library that could replace it, alternately, in one run (ADR 6, 9, 10, 11, 12).

A figure is the library's CPU time divided by that of the own code. Services are measured as processes, by requests;
single reads and serializations, whose share of a request is small, in this process. The libraries' sides
(`bench.baselines`) do less: no replicas, no circuit breaker, no limits on slow clients, no entity tags.
"""

import asyncio
import statistics
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from itertools import cycle

import orjson
import uvloop

from bench.baselines import AsyncpgPool
from bench.catalog import load, scenarios
from bench.figures import Figure, at_least, report
from bench.gateway import Side
from bench.load import get
from bench.system import Process, System, migrate, postgres, process, running, wait_until_ready
from stockbuddy.catalog.read_pool import ReadPool
from stockbuddy.notifications.event_log.cloudevents import LoggedEvent, View
from stockbuddy.notifications.event_log.field_permissions import FIELD_PERMISSIONS

Call = Callable[[], Awaitable[None]]

PRODUCTS = 10_000
ROUNDS = 5
READS = 1600
CALLS = 2000
TARGET_TO_KEEP = at_least(1.2)
TARGET_OF_LIMITS = at_least(0.85)
"""The limits on clients may cost this much, including the inaccuracy of the measurement."""
SERVICES = {"gateway": ("aiohttp", "uvicorn"), "catalog": ("asyncpg.Pool", "FastAPI", "Starlette")}
TARGETS = {"aiohttp": TARGET_TO_KEEP, "uvicorn": TARGET_OF_LIMITS, "FastAPI": TARGET_TO_KEEP}


# Services


async def compare(system: System, service: str, libraries: Mapping[str, Process], what: str, paths: list[str]) -> None:
    requests = [get(path, system.token) for path in paths]
    for connections in (1, 32):
        processes = {"own": system.processes[service], **libraries}
        sides = {name: Side(called, cycle(requests)) for name, called in processes.items()}
        for side in sides.values():
            await side.warm_up(connections)
        for number in range(ROUNDS):
            for side in list(sides.values())[:: 1 if number % 2 else -1]:
                await side.call(connections)
        for name in libraries:
            ratio = ratio_of(sides["own"].cpu, sides[name].cpu)
            title = f"{service}: {name}, {what}, {connections} at once"
            detail = f"own {sides['own']}; {name} {sides[name]}"
            report(Figure("libraries", title, ratio, "times our CPU", TARGETS.get(name), detail))


@contextmanager
def running_libraries(system: System, *names: str) -> Iterator[dict[str, Process]]:
    """The libraries' processes, with the database and the auth of the system."""
    addresses = {f"{name.upper()}_URL": f"http://127.0.0.1:{found.port}" for name, found in system.processes.items()}
    environment = {
        "ENV": "development",
        "DATABASE_URL": system.database_url,
        "LOG_LEVEL": "error",
        "JWKS_URL": f"{addresses['AUTH_URL']}/.well-known/jwks.json",
        "RATE_LIMIT_CALLER": "1000000/second",
        **addresses,
    }
    with ExitStack() as stack:
        started = {
            name: stack.enter_context(process("-m", "bench.baselines", name, environment=environment)) for name in names
        }
        for library in started.values():
            wait_until_ready(library.port, "/api/v1/products", token=system.token)
        yield started


# In this process


def ratio_of(own: list[float], library: list[float]) -> float:
    return statistics.median(b / a for a, b in zip(own, library, strict=True))


async def compare_calls(what: str, *, own: Call, library: Call) -> None:
    spent: dict[Call, list[float]] = {own: [], library: []}
    for number in range(2 * ROUNDS):
        for call in (own, library) if number % 2 else (library, own):
            began_at = time.process_time()
            await call()
            spent[call].append(time.process_time() - began_at)
    ratio = ratio_of(spent[own], spent[library])
    report(Figure("libraries", what, ratio, "times our CPU", TARGET_TO_KEEP))


def reads(pool: ReadPool | AsyncpgPool, tasks: int) -> Call:
    async def read() -> None:
        for _ in range(READS // tasks):
            await pool.fetch("SELECT $1::int, repeat('x', 400)", 1)

    async def call() -> None:
        await asyncio.gather(*(read() for _ in range(tasks)))

    return call


async def compare_pools(url: str) -> None:
    read_pool = ReadPool(url, "catalog", size=8)
    async with AsyncpgPool(url, "catalog", size=8) as asyncpg_pool:
        for tasks in (1, 32):
            what = f"a read: asyncpg.Pool, {tasks} at once"
            await compare_calls(what, own=reads(read_pool, tasks), library=reads(asyncpg_pool, tasks))
    await read_pool.close()


async def compare_events() -> None:
    """A logged event from stored text: concatenated, or with its attributes parsed and serialized again."""
    attributes = orjson.dumps({f"attribute{number}": "a" * 20 for number in range(12)}).decode()
    data = orjson.dumps({f"field{number}": number for number in range(20)}).decode()
    event = LoggedEvent(1, 1, "stock.level.changed", "product/1", "10.0.0.1", attributes, data)

    async def concatenate() -> None:
        for _ in range(CALLS):
            event.to_json(View(True, FIELD_PERMISSIONS))

    async def serialize() -> None:
        for _ in range(CALLS):
            content = {**orjson.loads(attributes), "clientip": event.client_ip, "data": orjson.Fragment(data)}
            orjson.dumps(content).decode()

    await compare_calls("a logged event: orjson", own=concatenate, library=serialize)


def main() -> None:
    uvloop.run(compare_events())
    with postgres() as url:
        migrate(("auth", "catalog"), url)
        uvloop.run(load(url, PRODUCTS))
        uvloop.run(compare_pools(url))
        with running("catalog", database_url=url) as system:
            measured = {
                what: paths for what, paths in scenarios(system).items() if what in ("get by id", "list, page 1")
            }
            for service, names in SERVICES.items():
                with running_libraries(system, *names) as libraries:
                    for what, paths in measured.items():
                        uvloop.run(compare(system, service, libraries, what, paths))


if __name__ == "__main__":
    main()
