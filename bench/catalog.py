"""Cost of reads of the catalogue through the gateway, with ten thousand and with a million products.

The baseline is a bare FastAPI route on the same server that returns the same bytes; both are measured alternately.
Products are loaded with COPY; word frequencies in their names follow Zipf's law, and the vocabulary grows with the
catalogue. Searches use words of randomly selected products.
"""

import asyncio
import os
import random
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from itertools import cycle, pairwise
from typing import Any
from urllib.parse import quote

import asyncpg
import uvicorn
import uvloop
from fastapi import FastAPI, Request, Response

from bench.figures import Figure, at_least, report, under
from bench.load import Load, drive, get, median_of
from bench.system import Process, System, call, migrate, new_database, postgres, process, running, wait_until_ready
from stockbuddy.chassis.http.pagination import encode_cursor

SIZES = (10_000, 1_000_000)
ROUNDS = 3
SECONDS = 0.7
SAMPLE_SIZE = 200
"""Number of different products, words and pages that are requested."""

TARGET_RATIO = at_least(0.5)
TARGET_GROWTH = under(2)
TARGET_GROWTH_OF_SEARCH = under(3)


# The products


def vocabulary(size: int) -> list[str]:
    """Generated words; their number grows with the square root of the catalogue (Heaps' law)."""
    rng = random.Random(7)
    syllables = [a + b for a in "bcdfghjklmnprstvwz" for b in ("a", "e", "i", "o", "u", "an", "el", "or", "in")]
    words: dict[str, None] = {}
    while len(words) < 40 * int(size**0.5):
        words["".join(rng.choices(syllables, k=rng.choice((2, 2, 3, 3, 4))))] = None
    return list(words)


def products(size: int) -> Iterator[tuple[Any, ...]]:
    """Rows for COPY; a word's frequency falls with its rank (Zipf's law, flattened at the top as names are)."""
    rng = random.Random(11)
    words = vocabulary(size)
    weights = [1 / (rank + 20) for rank in range(len(words))]
    pool = rng.choices(words, weights, k=1_000_000)
    for number in range(size):
        name = " ".join(rng.sample(pool, rng.randint(3, 6)))
        description = " ".join(rng.sample(pool, 12))
        price = rng.randint(100, 99_999)
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
        while batch := [row for row, _ in zip(rows, range(BATCH), strict=False)]:
            await connection.copy_records_to_table("product", records=batch, columns=COLUMNS)
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


# The requests


def scenarios(system: System) -> dict[str, list[str]]:
    """Paths by scenario, sampled from the system's own lists."""
    rng = random.Random(3)
    products = "/api/v1/products"
    total = system.get(products)["total"]
    items = []
    for _ in range(SAMPLE_SIZE // 10):
        page = rng.randint(1, max(total // 20, 1))
        items += system.get(f"{products}?page={page}")["items"]
    sample = rng.sample(items, SAMPLE_SIZE)
    words = [rng.sample(item["name"].lower().split(), 2) for item in sample]
    return {
        "list, page 1": [products],
        "list by name, page 1": [f"{products}?sort_by=name_asc"],
        "list, deep by cursor": [
            f"{products}?cursor={encode_cursor('created_desc', [item['created_at'], item['id']])}" for item in sample
        ],
        "list, page 400": [f"{products}?page=400"],
        "search, one word": [f"{products}?search={pair[0]}" for pair in words],
        "search, two words": [f"{products}?search={quote(' '.join(pair))}" for pair in words],
        "get by id": [f"{products}/{item['id']}" for item in sample],
        "get by SKU": [f"{products}/by-sku/{item['sku']}" for item in sample],
    }


async def measure(system: System, bare: Process, size: int) -> dict[str, float]:
    """The time of each scenario relative to the bare route, with 32 connections."""
    costs = {}
    for number, (name, paths) in enumerate(scenarios(system).items()):
        responses, first = request_once(system, paths)
        call(bare.port, f"/{number}", body=sorted(responses, key=len)[len(responses) // 2], method="PUT")
        sides = {
            "ours": (system.gateway.port, cycle([get(path, system.token) for path in paths])),
            "bare": (bare.port, cycle([get(f"/{number}")])),
        }
        loads: dict[tuple[str, int], list[Load]] = {(side, n): [] for side in sides for n in (1, 32)}
        for port, requests in sides.values():
            await drive(port, requests, connections=8, seconds=SECONDS)
        for _ in range(ROUNDS):
            for (side, connections), found in loads.items():
                port, requests = sides[side]
                found.append(await drive(port, requests, connections=connections, seconds=SECONDS))
        ours, plain = median_of(loads["ours", 32]), median_of(loads["bare", 32])
        single = median_of(loads["ours", 1]).p50
        detail = f"{ours}, one connection {single:.2f} ms, first request {first:.1f} ms; bare {plain}"
        report(
            Figure("catalog", f"{name}, of {size:,}", ours.rate / plain.rate, "of bare FastAPI", TARGET_RATIO, detail)
        )
        costs[name] = plain.rate / ours.rate
    return costs


def request_once(system: System, paths: list[str]) -> tuple[list[bytes], float]:
    """All responses, and the mean milliseconds of a first request: totals are counted on the first request and after
    each change of the catalogue."""
    started_at = time.perf_counter()
    responses = [call(system.gateway.port, path, token=system.token) for path in paths]
    return responses, (time.perf_counter() - started_at) * 1000 / len(paths)


def report_growth(small: dict[str, float], large: dict[str, float], sizes: tuple[int, int]) -> None:
    for name, before in small.items():
        target = TARGET_GROWTH_OF_SEARCH if name.startswith("search") else TARGET_GROWTH
        what = f"{name}: cost from {sizes[0]:,} to {sizes[1]:,}"
        report(Figure("catalog", what, large[name] / before, "times as much", target))


# The bare route


def serve_bare(port: int) -> None:
    """Routes that return stored bytes, served with the settings of a service."""
    app = FastAPI()
    bodies: dict[int, bytes] = {}

    @app.put("/{number}")
    async def put(number: int, request: Request) -> Response:
        bodies[number] = await request.body()
        return Response()

    @app.get("/{number}")
    async def get(number: int) -> Response:
        return Response(bodies[number], media_type="application/json")

    @app.get("/health/ready")
    async def ready() -> Response:
        return Response()

    uvicorn.run(app, host="127.0.0.1", port=port, log_config=None, access_log=False, timeout_keep_alive=75)


def main() -> None:
    costs: dict[int, dict[str, float]] = {}
    with ExitStack() as stack:
        server_url = stack.enter_context(postgres())
        bare = stack.enter_context(process("-m", "bench.catalog", "bare", environment={}))
        wait_until_ready(bare.port)
        for size in SIZES:
            url = new_database(server_url, f"catalog_{size}")
            migrate(("auth", "catalog"), url)
            started_at = time.perf_counter()
            asyncio.run(load(url, size))
            print(f"\n{size:,} products, loaded in {time.perf_counter() - started_at:.0f} s", flush=True)
            with running("catalog", database_url=url) as system:
                costs[size] = uvloop.run(measure(system, bare, size))
                memory = system.processes["catalog"].resident_megabytes()
                report(Figure("catalog", f"memory of the service, {size:,} products", memory, "MB"))
    for small, large in pairwise(SIZES):
        report_growth(costs[small], costs[large], (small, large))


if __name__ == "__main__":
    serve_bare(int(os.environ["PORT"])) if sys.argv[1:] == ["bare"] else main()
