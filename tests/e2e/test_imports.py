"""Imports on the running system: their stock, and interactive requests right after a large one."""

import asyncio
from typing import Any

from stockbuddy.chassis.testing.clients import User

ROWS = 2000
TIMEOUT_SECONDS = 90


async def run_import(user: User, content: bytes, **params: str) -> dict[str, Any]:
    answer = await user.call("POST", "/imports", files={"file": ("x.csv", content)}, params=params)
    assert answer.status_code == 202, answer.text
    path = f"/imports/{answer.json()['id']}"
    async with asyncio.timeout(TIMEOUT_SECONDS):
        while (job := await user.get(path))["state"] not in ("finished", "failed"):
            await asyncio.sleep(0.2)
    return dict(job)


async def wait_for_stock(user: User, product_id: int, expected: int) -> None:
    """Return when the catalogue shows the quantity."""
    async with asyncio.timeout(TIMEOUT_SECONDS):
        while (await user.get(f"/products/{product_id}"))["quantity_in_stock"] != expected:
            await asyncio.sleep(0.1)


async def test_import_delays_no_request_and_sets_stock(admin: User) -> None:
    rows = "".join(f"IMPORT-{n},Thing {n},1.50,{n % 5 + 1}\n" for n in range(ROWS))
    job = await run_import(admin, f"sku,name,unit_price,quantity\n{rows}".encode())
    assert (job["created"], job["failed"]) == (ROWS, 0)

    made = await admin.post("/products", {"name": "Pot", "sku": "POT", "unit_price": "2", "quantity": 5})
    moved = await admin.post("/stock-movements", {"product_id": made["id"], "movement_type": "in", "quantity": 2})
    deleted = await admin.call("DELETE", f"/products/{made['id']}")

    assert (made["quantity_in_stock"], moved["balance"]) == (5, 7)
    assert (deleted.status_code, deleted.json()["code"]) == (409, "product_in_use")
    content = b"sku,name,unit_price,quantity\nPOT,Pot,2,50\n"
    assert (await run_import(admin, content, on_existing_quantity="set"))["updated"] == 1
    await wait_for_stock(admin, made["id"], 50)
