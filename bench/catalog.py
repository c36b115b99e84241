"""What reading the catalogue through the gateway costs, at ten thousand and at a million products.

The baseline is a bare FastAPI route that returns the very bytes of the call it stands beside, called directly, from
the same kind of server, in turn with it. Products come in by COPY; the words of their names are as unevenly common as
in a language, and their number grows with the catalogue. Searches take words of products drawn at random.
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
DRAWN = 200
"""So many different products, words and pages are asked for, over and over."""

AIMED_RATIO = at_least(0.5)
AIMED_GROWTH = under(2)
AIMED_GROWTH_OF_SEARCH = under(3)


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


def scenarios(system: System) -> dict[str, list[str]]:
    """Paths by what they measure, drawn from what the system itself shows."""
    dice = random.Random(3)
    products = "/api/v1/products"
    total = system.get(products)["total"]
    shown = []
    for _ in range(DRAWN // 10):
        page = dice.randint(1, max(total // 20, 1))
        shown += system.get(f"{products}?page={page}")["items"]
    drawn = dice.sample(shown, DRAWN)
    words = [dice.sample(item["name"].lower().split(), 2) for item in drawn]
    return {
        "list, page 1": [products],
        "list by name, page 1": [f"{products}?sort_by=name_asc"],
        "list, deep by cursor": [
            f"{products}?cursor={encode_cursor('created_desc', [item['created_at'], item['id']])}" for item in drawn
        ],
        "list, page 400": [f"{products}?page=400"],
        "search, one word": [f"{products}?search={pair[0]}" for pair in words],
        "search, two words": [f"{products}?search={quote(' '.join(pair))}" for pair in words],
        "get by id": [f"{products}/{item['id']}" for item in drawn],
        "get by SKU": [f"{products}/by-sku/{item['sku']}" for item in drawn],
    }


async def measure(system: System, bare: Process, size: int) -> dict[str, float]:
    """How many times as long as the bare route each call took, at 32 connections."""
    costs = {}
    for number, (name, paths) in enumerate(scenarios(system).items()):
        answers, first = ask_once(system, paths)
        call(bare.port, f"/{number}", body=sorted(answers, key=len)[len(answers) // 2], method="PUT")
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
        alone = median_of(loads["ours", 1]).p50
        detail = f"{ours}, alone {alone:.2f} ms, asked for the first time {first:.1f} ms; bare {plain}"
        report(
            Figure("catalog", f"{name}, of {size:,}", ours.rate / plain.rate, "of bare FastAPI", AIMED_RATIO, detail)
        )
        costs[name] = plain.rate / ours.rate
    return costs


def ask_once(system: System, paths: list[str]) -> tuple[list[bytes], float]:
    """The answers to all, and how many milliseconds one takes: a total is counted when it is first asked for, and
    again after a change of the catalogue."""
    began_at = time.perf_counter()
    answers = [call(system.gateway.port, path, token=system.token) for path in paths]
    return answers, (time.perf_counter() - began_at) * 1000 / len(paths)


def report_growth(small: dict[str, float], large: dict[str, float], sizes: tuple[int, int]) -> None:
    for name, before in small.items():
        aim = AIMED_GROWTH_OF_SEARCH if name.startswith("search") else AIMED_GROWTH
        what = f"{name}: cost from {sizes[0]:,} to {sizes[1]:,}"
        report(Figure("catalog", what, large[name] / before, "times as much", aim))


# The bare route


def serve_bare(port: int) -> None:
    """Routes that return bytes, and nothing else; served as our services are."""
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
            began_at = time.perf_counter()
            asyncio.run(load(url, size))
            print(f"\n{size:,} products, loaded in {time.perf_counter() - began_at:.0f} s", flush=True)
            with running("catalog", database_url=url) as system:
                costs[size] = uvloop.run(measure(system, bare, size))
                memory = system.processes["catalog"].resident_megabytes()
                report(Figure("catalog", f"memory of the service, {size:,} products", memory, "MB"))
    for small, large in pairwise(SIZES):
        report_growth(costs[small], costs[large], (small, large))


if __name__ == "__main__":
    serve_bare(int(os.environ["PORT"])) if sys.argv[1:] == ["bare"] else main()
