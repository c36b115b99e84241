"""What the gateway costs: the same request to a service directly and through the gateway, in turn, in one run.

Real processes (PostgreSQL, auth, catalog, gateway) over loopback; the client is a process too, and as cheap as it can
be, because it shares the machine. Read the ratios: the rates belong to the machine. `cpu ms` is what a request costs
the process that is called: the service, or the gateway alone.
"""

import asyncio
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import httptools
import uvloop

from stockbuddy.chassis.local_postgres import LocalPostgres
from stockbuddy.chassis.testing.ports import free_port

ROUNDS = int(os.environ.get("ROUNDS", "5"))
SECONDS = float(os.environ.get("SECONDS", "2"))
CONNECTIONS = (1, 32)
WARM_UP_SECONDS = 1.0
READY_SECONDS = 30

FIGURES = ("rate", "p50", "p99", "cpu")
AIM_RATIO = 0.6
AIM_ADDED_MILLISECONDS = 1.5


# The client


class Caller(asyncio.Protocol):
    """One connection that asks again as soon as it has an answer."""

    def __init__(self, request: bytes, latencies: list[float], until: float) -> None:
        self._request = request
        self._latencies = latencies
        self._until = until
        self._parser = httptools.HttpResponseParser(self)
        self._transport: asyncio.Transport
        self.done = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._ask()

    def _ask(self) -> None:
        self._asked_at = time.perf_counter()
        self._transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_message_complete(self) -> None:
        now = time.perf_counter()
        self._latencies.append(now - self._asked_at)
        if self._parser.get_status_code() != 200:
            self.done.set_exception(RuntimeError(f"answered {self._parser.get_status_code()}"))
        elif now < self._until:
            self._parser = httptools.HttpResponseParser(self)
            asyncio.get_running_loop().call_soon(self._ask)
        else:
            self._transport.close()
            self.done.set_result(None)

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.done.done():
            self.done.set_exception(exc or ConnectionError("hung up"))


async def call_for(port: int, request: bytes, *, connections: int, seconds: float) -> dict[str, float]:
    latencies: list[float] = []
    began_at = time.perf_counter()
    loop = asyncio.get_running_loop()
    callers: list[Caller] = []
    for _ in range(connections):
        _, caller = await loop.create_connection(
            lambda: Caller(request, latencies, began_at + seconds), "127.0.0.1", port
        )
        callers.append(caller)
    await asyncio.gather(*(caller.done for caller in callers))
    took = time.perf_counter() - began_at
    percentiles = statistics.quantiles(latencies, n=100)
    figures = {"p50": percentiles[49] * 1000, "p99": percentiles[98] * 1000}
    return {"answers": len(latencies), "rate": len(latencies) / took, **figures}


# The system


@dataclass(frozen=True)
class Process:
    port: int
    process_id: int

    def cpu_seconds(self) -> float:
        """What it has used so far; not a number where there is no /proc."""
        try:
            fields = Path(f"/proc/{self.process_id}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            return float("nan")
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Target:
    name: str
    port: int
    process: Process
    """Whose time is counted."""


@contextmanager
def process(module: str, environment: Mapping[str, str]) -> Iterator[Process]:
    """A running `python -m module`."""
    port = free_port()
    with subprocess.Popen(
        [sys.executable, "-m", module], env={**os.environ, **environment, "HOST": "127.0.0.1", "PORT": str(port)}
    ) as running:
        try:
            yield Process(port, running.pid)
        finally:
            running.terminate()


def migrate(module: str, environment: Mapping[str, str]) -> None:
    subprocess.run([sys.executable, "-m", module, "migrate"], env={**os.environ, **environment}, check=True)


def post(port: int, path: str, document: Any, token: str | None = None) -> Any:
    headers = {"Content-Type": "application/json", **({"Authorization": f"Bearer {token}"} if token else {})}
    url = f"http://127.0.0.1:{port}{path}"
    request = urllib.request.Request(url, json.dumps(document).encode(), headers, method="POST")
    with urllib.request.urlopen(request) as response:  # noqa: S310
        return json.load(response)


def wait_until_answered(port: int, path: str, token: str | None = None) -> None:
    deadline = time.monotonic() + READY_SECONDS
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}")
    if token:
        request.add_header("Authorization", f"Bearer {token}")
    while True:
        try:
            urllib.request.urlopen(request).close()  # noqa: S310
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)
        else:
            return


@contextmanager
def system() -> Iterator[tuple[list[Target], str]]:
    """The catalogue, directly and behind the gateway; and a manager's token."""
    with ExitStack() as stack:
        directory = stack.enter_context(tempfile.TemporaryDirectory(prefix="stockbuddy-bench-"))
        database = stack.enter_context(LocalPostgres.start(Path(directory)))
        environment = {"ENV": "development", "DATABASE_URL": database.url, "LOG_LEVEL": "error"}
        for module in ("stockbuddy.auth", "stockbuddy.catalog"):
            migrate(module, environment)
        auth = stack.enter_context(process("stockbuddy.auth", environment))
        environment["JWKS_URL"] = f"http://127.0.0.1:{auth.port}/.well-known/jwks.json"
        catalog = stack.enter_context(process("stockbuddy.catalog", environment))
        gateway_environment = {
            **environment,
            "AUTH_URL": f"http://127.0.0.1:{auth.port}",
            "CATALOG_URL": f"http://127.0.0.1:{catalog.port}",
            "RATE_LIMIT_CALLER": "1000000/second",  # counted, but not reached
        }
        gateway = stack.enter_context(process("stockbuddy.gateway", gateway_environment))
        wait_until_answered(auth.port, "/health/live")
        token = first_admin(auth.port)
        for one in (catalog, gateway):
            wait_until_answered(one.port, "/api/v1/categories", token)
        yield [Target("direct", catalog.port, catalog), Target("gateway", gateway.port, gateway)], token


def first_admin(auth: int) -> str:
    account = {"username": "bench", "email": "bench@example.com", "password": "violet-Harbour-71"}
    post(auth, "/api/v1/auth/admin/register", account)
    login = post(auth, "/api/v1/auth/login", {"username": "bench", "password": account["password"]})
    return str(login["access_token"])


def request_for(path: str, token: str) -> bytes:
    head = f"GET {path} HTTP/1.1\r\nHost: bench\r\nAccept: application/json\r\nAuthorization: Bearer {token}\r\n\r\n"
    return head.encode()


# The comparison


def measure(target: Target, request: bytes, *, connections: int, seconds: float) -> dict[str, float]:
    """In a process of its own, so that no round inherits what the last one left."""
    used_before = target.process.cpu_seconds()
    arguments = json.dumps([target.port, request.decode(), connections, seconds])
    done = subprocess.run(
        [sys.executable, __file__, "call"], input=arguments, text=True, capture_output=True, check=False
    )
    if done.returncode:
        raise RuntimeError(done.stderr)
    figures: dict[str, float] = json.loads(done.stdout)
    used = target.process.cpu_seconds() - used_before
    return figures | {"cpu": used * 1000 / figures["answers"]}


def call() -> None:
    port, request, connections, seconds = json.load(sys.stdin)
    calling = call_for(port, request.encode(), connections=connections, seconds=seconds)
    json.dump(uvloop.run(calling), sys.stdout)


def compare(targets: list[Target], request: bytes, connections: int) -> None:
    for target in targets:
        measure(target, request, connections=connections, seconds=WARM_UP_SECONDS)
    rounds: list[list[dict[str, float]]] = []
    for number in range(ROUNDS):
        order = targets if number % 2 == 0 else targets[::-1]
        figures = {t.name: measure(t, request, connections=connections, seconds=SECONDS) for t in order}
        rounds.append([figures[target.name] for target in targets])
    for place, target in enumerate(targets):
        of_all = [each[place] for each in rounds]
        rate, p50, p99, cpu = (statistics.median(one[name] for one in of_all) for name in FIGURES)
        print(f"  {connections:>4}  {target.name:<8} {rate:>9,.0f} {p50:>9.2f} {p99:>9.2f} {cpu:>9.2f}")
    ratio = statistics.median(through["rate"] / direct["rate"] for direct, through in rounds)
    added = statistics.median(through["p50"] - direct["p50"] for direct, through in rounds)
    aim = f"aim {AIM_RATIO}" if connections > 1 else f"aim < {AIM_ADDED_MILLISECONDS} ms"
    print(f"        ratio {ratio:.2f}, added at the median {added:.2f} ms   ({aim})")


def main() -> None:
    with system() as (targets, token):
        product = {"name": "Bench", "sku": "BENCH-1", "unit_price": "9.99"}
        made = post(targets[0].port, "/api/v1/products", product, token)
        for what, path in (
            ("a product", f"/api/v1/products/{made['id']}"),
            ("a short list", "/api/v1/categories"),
        ):
            print(f"{what}: GET {path}, medians of {ROUNDS} rounds of {SECONDS:g} s each, in turn")
            print("  conn  target        req/s    p50 ms    p99 ms    cpu ms")
            for connections in CONNECTIONS:
                compare(targets, request_for(path, token), connections)


if __name__ == "__main__":
    call() if sys.argv[1:] == ["call"] else main()
