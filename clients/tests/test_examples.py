"""The programs in examples/ that use the clients do what they say."""

import asyncio
import os
import sys
from pathlib import Path

from clients.tests.faulty_proxy import CLOSED_PORT
from clients.tests.node import NODE
from stockbuddy.chassis.testing.clients import PASSWORD, User

CLIENTS = Path(__file__).parents[1]
EXAMPLES = CLIENTS.parent / "examples"
WAIT_SECONDS = 60


def environment(url: str, key: str) -> dict[str, str]:
    python_path = str(CLIENTS / "python/src")
    return {**os.environ, "STOCKBUDDY_URL": url, "STOCKBUDDY_API_KEY": key, "PYTHONPATH": python_path}


async def run_till(url: str, key: str, file: Path, typed: str) -> tuple[int, str]:
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        sys.executable, EXAMPLES / "till.py", file, env=environment(url, key), stdin=pipe, stdout=pipe, stderr=pipe
    )
    output, _ = await process.communicate(typed.encode())
    return process.returncode or 0, output.decode()


async def test_till_sells_offline_and_delivers_later(
    gateway_url: str, shop: dict[str, str], admin: User, tmp_path: Path
) -> None:
    code, output = await run_till(CLOSED_PORT, shop["key"], tmp_path / "till.db", f"{shop['sku']} 2\nnonsense\n")
    assert code == 1
    receipt, usage, summary = output.splitlines()
    assert (usage, summary) == ("type: SKU QUANTITY", "waiting: 1; refused: none")
    code, output = await run_till(gateway_url, shop["key"], tmp_path / "till.db", "NOT-THERE 1\n")
    assert code == 0
    assert output.splitlines()[1].startswith("waiting: 0; refused: ")
    assert "(unknown_product)" in output
    sales = await admin.get("/sales", search=receipt.removeprefix("receipt "))
    assert [sale["lines"][0]["quantity"] for sale in sales["items"]] == [2]


async def test_event_consumer_counts_each_sale_once_across_restarts(
    gateway_url: str, admin: User, shop: dict[str, str], tmp_path: Path
) -> None:
    sku = f"COUNTED-{tmp_path.name}"
    made = await admin.post("/products", {"name": "Counted", "sku": sku, "unit_price": "1", "quantity": 10})
    await admin.until("/stock-levels", lambda page: page["total"] == 1, product_id=made["id"])
    for quantity, total in ((2, 2), (3, 5)):
        await admin.post("/sales", {"product": sku, "quantity": quantity})
        process = await asyncio.create_subprocess_exec(
            sys.executable, EXAMPLES / "event_consumer.py", tmp_path / "totals.db",
            env=environment(gateway_url, shop["key"]), stdout=asyncio.subprocess.PIPE,
        )  # fmt: skip
        assert process.stdout is not None
        async with asyncio.timeout(WAIT_SECONDS):
            while (line := (await process.stdout.readline()).decode()) != f"{sku} {total}\n":
                assert line, "the consumer ended"
        process.kill()
        await process.communicate()


async def test_web_page_logs_in_sells_and_shows_changed_levels(gateway_url: str, admin: User, tmp_path: Path) -> None:
    name = f"Shown {tmp_path.name}"
    await admin.post("/products", {"name": name, "sku": tmp_path.name, "unit_price": "1", "quantity": 10})
    await admin.until("/products", lambda page: page["items"][0]["available"] == 10, search=name)
    process = await asyncio.create_subprocess_exec(
        NODE, CLIENTS / "tests/web_page_runner.mjs", gateway_url, "ada", PASSWORD, name,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    output, _ = await process.communicate()
    assert process.returncode == 0, output.decode()
    assert output.decode().startswith("Sale S-")
