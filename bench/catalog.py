"""What reading the catalogue costs, at ten thousand and at a million products, next to a bare FastAPI route.

The bare route returns the very bytes of the call it stands beside, from the same kind of server, in turn with it: read
the ratios, the rates belong to the machine. Products come in by COPY; the words of their names are as unevenly common
as in a language, and their number grows with the catalogue. Searches take words of products drawn at random.

    python bench/catalog.py                      starts PostgreSQL and the service, and loads SIZES (10000,1000000)
    python bench/catalog.py URL TOKEN            asks a running system, such as one behind its gateway, as it is
"""

import asyncio
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, cast

import asyncpg
import httptools
import uvicorn
import uvloop
from fastapi import FastAPI, Request, Response

from stockbuddy.chassis.local_postgres import LocalPostgres
from stockbuddy.chassis.paging import cursor_for
from stockbuddy.chassis.testing.ports import free_port
from stockbuddy.chassis.testing.tokens import TestIssuer

SIZES = [int(size) for size in os.environ.get("SIZES", "10000,1000000").split(",")]
ROUNDS = int(os.environ.get("ROUNDS", "3"))
SECONDS = float(os.environ.get("SECONDS", "2"))
CONNECTIONS = (1, 32)
WARM_UP_SECONDS = 1.0
READY_SECONDS = 60
DRAWN = 200
"""So many different products, words and pages are asked for, over and over."""

AIM_RATIO = 0.5
AIM_GROWTH = {"search": 3.0}
AIM_OTHER_GROWTH = 2.0


# The client


class Caller(asyncio.Protocol):
    """One connection that asks for one thing after the other, each as soon as it has its answer."""

    def __init__(self, requests: Iterator[bytes], latencies: list[float], until: float) -> None:
        self._requests = requests
        self._latencies = latencies
        self._until = until
        self._transport: asyncio.Transport
        self.done = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._ask()

    def _ask(self) -> None:
        self._parser = httptools.HttpResponseParser(self)
        self._asked_at = time.perf_counter()
        self._transport.write(next(self._requests))

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_message_complete(self) -> None:
        now = time.perf_counter()
        self._latencies.append(now - self._asked_at)
        if self._parser.get_status_code() != 200:
            self.done.set_exception(RuntimeError(f"answered {self._parser.get_status_code()}"))
        elif now < self._until:
            asyncio.get_running_loop().call_soon(self._ask)
        else:
            self._transport.close()
            self.done.set_result(None)

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.done.done():
            self.done.set_exception(exc or ConnectionError("hung up"))


@dataclass(frozen=True)
class Target:
    host: str
    port: int
    token: str | None = None

    def request(self, path: str) -> bytes:
        head = f"GET {path} HTTP/1.1\r\nHost: {self.host}:{self.port}\r\n"
        return (head + (f"Authorization: Bearer {self.token}\r\n" if self.token else "") + "\r\n").encode()

    def get(self, path: str) -> bytes:
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        url = f"http://{self.host}:{self.port}{path}"
        with urllib.request.urlopen(urllib.request.Request(url, headers=headers)) as response:
            body: bytes = response.read()
        return body

    def put(self, path: str, body: bytes) -> None:
        url = f"http://{self.host}:{self.port}{path}"
        urllib.request.urlopen(urllib.request.Request(url, body, method="PUT")).close()


async def call_for(target: Target, paths: Sequence[str], *, connections: int, seconds: float) -> tuple[float, float]:
    """Calls per second, and the median milliseconds of one."""
    requests = [target.request(path) for path in paths]
    latencies: list[float] = []
    began_at = time.perf_counter()
    callers = []
    for number in range(connections):
        own = _around(requests, number * len(requests) // connections)
        _, caller = await asyncio.get_running_loop().create_connection(
            lambda own=own: Caller(own, latencies, began_at + seconds),  # type: ignore[misc]
            target.host,
            target.port,
        )
        callers.append(caller)
    await asyncio.gather(*(caller.done for caller in callers))
    return len(latencies) / (time.perf_counter() - began_at), statistics.median(latencies) * 1000


def _around(requests: Sequence[bytes], start: int) -> Iterator[bytes]:
    while True:
        yield requests[start % len(requests)]
        start += 1


# The products


def vocabulary(size: int) -> list[str]:
    """Made-up words; their number grows with the square root of the catalogue (Heaps' law)."""
    dice = random.Random(7)
    syllables = [a + b for a in "bcdfghjklmnprstvwz" for b in ("a", "e", "i", "o", "u", "an", "el", "or", "in")]
    words: dict[str, None] = {}
    while len(words) < 40 * int(size**0.5):
        words["".join(dice.choices(syllables, k=dice.choice((2, 2, 3, 3, 4))))] = None
    return list(words)


def products(size: int) -> Iterator[tuple[Any, ...]]:
    """Rows for COPY; a word's frequency falls with its rank (Zipf's law, flattened at the top as names are)."""
    dice = random.Random(11)
    words = vocabulary(size)
    weights = [1 / (rank + 20) for rank in range(len(words))]
    pool = dice.choices(words, weights, k=1_000_000)
    for number in range(size):
        name = " ".join(dice.sample(pool, dice.randint(3, 6)))
        description = " ".join(dice.sample(pool, 12))
        price = dice.randint(100, 99_999)
        yield (
            f"SKU-{number:07}",
            name.capitalize(),
            description,
            number % 60 + 1,
            number % 300 + 1,
            1,
            f"{price / 100:.2f}",
            f"{price / 200:.2f}",
            "piece",
            [f"50{number:011}"],
        )


COLUMNS = [
    "sku",
    "name",
    "description",
    "category_id",
    "supplier_id",
    "owner_id",
    "unit_price",
    "cost_price",
    "unit_of_measure",
    "barcodes",
]
BATCH = 50_000


async def load(url: str, size: int) -> None:
    connection = await asyncpg.connect(url, server_settings={"search_path": "catalog", "jit": "off"})
    try:
        await connection.execute("""
            INSERT INTO category (name) SELECT 'Category ' || n FROM generate_series(1, 60) n;
            INSERT INTO supplier (name) SELECT 'Supplier ' || n FROM generate_series(1, 300) n;
            INSERT INTO warehouse SELECT n, 1, 'W' || n, 'Warehouse ' || n, 'warehouse', n = 1, false
                FROM generate_series(1, 2) n;
        """)
        rows = products(size)
        while some := [row for row, _ in zip(rows, range(BATCH), strict=False)]:
            await connection.copy_records_to_table("product", records=some, columns=COLUMNS)
            print(".", end="", flush=True)
        for statement in STOCK:
            await connection.execute(statement, timeout=1800)
    finally:
        await connection.close()


STOCK = (
    "INSERT INTO stock_level SELECT id, w, 0, 1, id % 90 * w, id % 3 FROM product, generate_series(1, 2) w",
    """UPDATE product_stock s SET on_hand = t.on_hand, reserved = t.reserved FROM (
        SELECT product_id, sum(on_hand) AS on_hand, sum(reserved) AS reserved
        FROM stock_level GROUP BY product_id) t WHERE t.product_id = s.product_id""",
    "VACUUM ANALYZE",
)


# What is asked


def scenarios(target: Target) -> dict[str, list[str]]:
    """Paths by what they measure, drawn from what the system itself shows."""
    dice = random.Random(3)
    products = "/api/v1/products"
    total = json.loads(target.get(products))["total"]
    shown = []
    for _ in range(DRAWN // 10):
        page = dice.randint(1, max(total // 20, 1))
        shown += json.loads(target.get(f"{products}?page={page}"))["items"]
    drawn = dice.sample(shown, min(DRAWN, len(shown)))
    words = [dice.sample(item["name"].lower().split(), 2) for item in drawn]
    return {
        "list, page 1": [products],
        "list by name, page 1": [f"{products}?sort_by=name_asc"],
        "list, deep by cursor": [
            f"{products}?cursor={cursor_for('created_desc', [item['created_at'], item['id']])}" for item in drawn
        ],
        "list, page 400": [f"{products}?page=400"],
        "search, one word": [f"{products}?search={pair[0]}" for pair in words],
        "search, two words": [f"{products}?search={urllib.parse.quote(' '.join(pair))}" for pair in words],
        "get by id": [f"{products}/{item['id']}" for item in drawn],
        "get by SKU": [f"{products}/by-sku/{item['sku']}" for item in drawn],
    }


@dataclass
class Measure:
    """Medians over the rounds, of ours and of the bare route, at 1 and at 32 connections."""

    name: str
    milliseconds: float
    bare_milliseconds: float
    rate: float
    bare_rate: float

    @property
    def ratio(self) -> float:
        return self.rate / self.bare_rate

    def __str__(self) -> str:
        return (
            f"  {self.name:22} {self.milliseconds:7.2f} ms  (bare {self.bare_milliseconds:5.2f})   "
            f"{self.rate:7.0f}/s  (bare {self.bare_rate:6.0f})   ratio {self.ratio:.2f}"
        )


async def measure(target: Target, bare: Target) -> list[Measure]:
    measures = []
    for number, (name, paths) in enumerate(scenarios(target).items()):
        typical = sorted((target.get(path) for path in paths[:20]), key=len)[len(paths[:20]) // 2]
        bare.put(f"/{number}", typical)
        sides = {"ours": (target, paths), "bare": (bare, [f"/{number}"])}
        for side in sides.values():
            await call_for(*side, connections=8, seconds=WARM_UP_SECONDS)
        found: dict[tuple[str, int], list[tuple[float, float]]] = {}
        for _ in range(ROUNDS):
            for connections in CONNECTIONS:
                for side_name, side in sides.items():
                    result = await call_for(*side, connections=connections, seconds=SECONDS)
                    found.setdefault((side_name, connections), []).append(result)
        measures.append(
            Measure(
                name,
                statistics.median(took for _, took in found["ours", 1]),
                statistics.median(took for _, took in found["bare", 1]),
                statistics.median(rate for rate, _ in found["ours", 32]),
                statistics.median(rate for rate, _ in found["bare", 32]),
            )
        )
        print(measures[-1], flush=True)
    return measures


# The system


def serve_bare(port: int) -> None:
    """Routes that return bytes, and nothing else; served as our services are."""
    app = FastAPI()
    bodies: dict[int, bytes] = {}

    @app.put("/{number}")
    async def put(number: int, request: Request) -> None:
        bodies[number] = await request.body()

    @app.get("/{number}")
    async def get(number: int) -> Response:
        return Response(bodies[number], media_type="application/json")

    uvicorn.run(app, host="127.0.0.1", port=port, log_config=None, access_log=False, timeout_keep_alive=75)


def serve_keys(port: int, keys: str) -> None:
    app = FastAPI()

    @app.get("/jwks.json")
    async def get() -> Response:
        return Response(keys, media_type="application/json")

    uvicorn.run(app, host="127.0.0.1", port=port, log_config=None, access_log=False)


@contextmanager
def process(*arguments: str, environment: Mapping[str, str] | None = None) -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen([sys.executable, *arguments], env={**os.environ, **(environment or {})}) as running:
        try:
            yield running
        finally:
            running.terminate()


def wait_until_it_listens(port: int) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while True:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/health/live").close()
        except urllib.error.HTTPError:
            return
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)
        else:
            return


@contextmanager
def bare_server() -> Iterator[Target]:
    port = free_port()
    with process(__file__, "--bare", str(port)):
        wait_until_it_listens(port)
        yield Target("127.0.0.1", port)


@contextmanager
def catalogue(url: str, issuer: TestIssuer) -> Iterator[Target]:
    port, keys_port = free_port(), free_port()
    environment = {
        "DATABASE_URL": url,
        "PORT": str(port),
        "HOST": "127.0.0.1",
        "JWKS_URL": f"http://127.0.0.1:{keys_port}/jwks.json",
        "LOG_LEVEL": "warning",
        "IMAGE_STORE": tempfile.gettempdir(),
    }
    keys = json.dumps(asyncio.run(issuer.fetch_keys()))
    with (
        process(__file__, "--keys", str(keys_port), keys),
        process("-m", "stockbuddy.catalog", environment=environment) as running,
    ):
        wait_until_it_listens(keys_port)
        wait_until_it_listens(port)
        yield Target("127.0.0.1", port, issuer.token(1, "manager", lifetime_seconds=86_400))
        status = Path(f"/proc/{running.pid}/status")
        if status.exists():
            resident = next(line for line in status.read_text().splitlines() if line.startswith("VmRSS"))
            print(f"  memory of the service: {int(resident.split()[1]) // 1024} MB")


def run_sizes() -> None:
    found: dict[int, list[Measure]] = {}
    with ExitStack() as stack:
        directory = stack.enter_context(tempfile.TemporaryDirectory(prefix="stockbuddy-bench-"))
        server = stack.enter_context(LocalPostgres.start(Path(directory)))
        bare = stack.enter_context(bare_server())
        for size in SIZES:
            url = new_database(server.url, f"catalog_{size}")
            began_at = time.perf_counter()
            asyncio.run(load(url, size))
            print(f"\n{size:,} products, loaded in {time.perf_counter() - began_at:.0f} s", flush=True)
            with catalogue(url, TestIssuer()) as target:
                found[size] = uvloop.run(measure(target, bare))
    for small, large in pairwise(SIZES):
        print(f"from {small:,} to {large:,}")
        for before, after in zip(found[small], found[large], strict=True):
            aim = AIM_GROWTH.get(before.name.split(",")[0], AIM_OTHER_GROWTH)
            growth = (after.bare_rate / after.rate) / (before.bare_rate / before.rate)
            print(f"  {before.name:22} costs {growth:.2f} times as much (aim: under {aim:.0f})")
    print(f"aim for the ratio: {AIM_RATIO}")


def new_database(server_url: str, name: str) -> str:
    async def create() -> None:
        connection = await asyncpg.connect(server_url)
        await connection.execute(f'CREATE DATABASE "{name}"')
        await connection.close()

    asyncio.run(create())
    url = urllib.parse.urlsplit(server_url)._replace(path=f"/{name}").geturl()
    environment = {**os.environ, "DATABASE_URL": url}
    subprocess.run([sys.executable, "-m", "stockbuddy.catalog", "migrate"], env=environment, check=True)
    return url


def main(arguments: Sequence[str]) -> None:
    if arguments[:1] == ["--bare"]:
        serve_bare(int(arguments[1]))
    elif arguments[:1] == ["--keys"]:
        serve_keys(int(arguments[1]), arguments[2])
    elif arguments:
        address = urllib.parse.urlsplit(arguments[0])
        with bare_server() as bare:
            uvloop.run(measure(Target(address.hostname or "127.0.0.1", address.port or 80, arguments[1]), bare))
    else:
        run_sizes()


if __name__ == "__main__":
    main(sys.argv[1:])
