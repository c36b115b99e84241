"""Overhead of the gateway: the same request to a service directly and through the gateway, alternately, in one run.

`cpu`: CPU time per request of the called process, which is the service or the gateway.
"""

import json
import statistics
from collections.abc import Iterator
from itertools import repeat

import uvloop

from bench.figures import Figure, at_least, report, under
from bench.load import Load, drive, get, median_of
from bench.system import Process, System, call, migrate, postgres, running

ROUNDS = 5
SECONDS = 1.5
TARGET_RATIO = at_least(0.6)
TARGET_MILLISECONDS_ADDED = under(1.5)


class Side:
    """One of the processes that are called alternately."""

    def __init__(self, process: Process, requests: Iterator[bytes]) -> None:
        self.process = process
        self._requests = requests
        self.loads: list[Load] = []
        self.cpu: list[float] = []
        """Milliseconds per request, for each round."""

    async def warm_up(self, connections: int) -> None:
        await drive(self.process.port, self._requests, connections=connections, seconds=SECONDS)

    async def call(self, connections: int) -> None:
        used_before = self.process.cpu_seconds()
        load = await drive(self.process.port, self._requests, connections=connections, seconds=SECONDS)
        self.loads.append(load)
        self.cpu.append((self.process.cpu_seconds() - used_before) * 1000 / (load.rate * SECONDS))

    def __str__(self) -> str:
        return f"{median_of(self.loads)}, {statistics.median(self.cpu):.2f} ms cpu"


async def compare(system: System, what: str, path: str) -> None:
    requests = repeat(get(path, system.token))
    for connections in (1, 32):
        direct, through = Side(system.processes["catalog"], requests), Side(system.gateway, requests)
        for side in (direct, through):
            await side.warm_up(connections)
        for number in range(ROUNDS):
            for side in (direct, through) if number % 2 else (through, direct):
                await side.call(connections)
        ratio = statistics.median(b.rate / a.rate for a, b in zip(direct.loads, through.loads, strict=True))
        added = statistics.median(b.p50 - a.p50 for a, b in zip(direct.loads, through.loads, strict=True))
        detail = f"gateway {through}; direct {direct}"
        is_single = connections == 1
        name = f"{what}, {connections} at once"
        report(Figure("gateway", f"{name}: rate", ratio, "of direct", None if is_single else TARGET_RATIO, detail))
        target = TARGET_MILLISECONDS_ADDED if is_single else None
        report(Figure("gateway", f"{name}: added", added, "ms at the median", target))


def main() -> None:
    with postgres() as url:
        migrate(("auth", "catalog"), url)
        with running("catalog", database_url=url) as system:
            body = {"name": "Bench", "sku": "BENCH-1", "unit_price": "9.99"}
            product = json.loads(call(system.gateway.port, "/api/v1/products", body=body, token=system.token))
            uvloop.run(compare(system, "a product", f"/api/v1/products/{product['id']}"))
            uvloop.run(compare(system, "a short list", "/api/v1/categories"))


if __name__ == "__main__":
    main()
