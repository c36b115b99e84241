"""What the product promises, seen by a client of the gateway."""

import asyncio
from collections import Counter
from typing import Any

import httpx2 as httpx

from stockbuddy.chassis.testing.clients import User


async def product(user: User, sku: str, quantity: int = 0, **fields: Any) -> dict[str, Any]:
    """A product whose opening stock has arrived."""
    body = {"sku": sku, "name": f"Product {sku}", "unit_price": "10.00", **fields}
    made: dict[str, Any] = await user.post("/products", {**body, **({"quantity": quantity} if quantity else {})})
    if quantity:
        await user.until("/stock-levels", lambda page: on_hand(page) == quantity, product_id=made["id"])
    return made


def on_hand(page: dict[str, Any]) -> float:
    return float(sum(level["on_hand"] for level in page["items"]))


async def test_a_sale_is_refused_as_a_whole_with_every_shortage(admin: User) -> None:
    plenty, few, none = [await product(admin, f"P-{n}", n) for n in (100, 2, 0)]
    lines = [{"product_id": p["id"], "quantity": 3} for p in (plenty, few, none)]
    refused = await admin.call("POST", "/sales", json={"lines": lines})
    assert (refused.status_code, refused.json()["code"]) == (409, "insufficient_stock")
    short = {shortage["product_id"]: shortage["available"] for shortage in refused.json()["shortages"]}
    assert short == {few["id"]: 2, none["id"]: 0}
    assert on_hand(await admin.get("/stock-levels", product_id=plenty["id"])) == 100


async def test_two_lines_of_one_product_are_one_demand(admin: User) -> None:
    mug = await product(admin, "MUG", 5)
    lines = [{"product_id": mug["id"], "quantity": 3}, {"sku": "MUG", "quantity": 3}]
    assert (await admin.call("POST", "/sales", json={"lines": lines})).status_code == 409
    assert on_hand(await admin.get("/stock-levels", product_id=mug["id"])) == 5


async def test_two_hundred_sales_of_the_last_hundred_units_sell_exactly_a_hundred(admin: User) -> None:
    mug = await product(admin, "MUG", 100)
    sale = {"product": mug["id"], "quantity": 1}
    answers = await asyncio.gather(*(admin.call("POST", "/sales", json=sale) for _ in range(200)))
    assert Counter(answer.status_code for answer in answers) == {201: 100, 409: 100}
    assert on_hand(await admin.get("/stock-levels", product_id=mug["id"])) == 0
    assert await admin.get("/stock/integrity") == {"ok": True, "differences": []}


async def test_one_key_fifty_times_at_once_sells_once(admin: User) -> None:
    mug = await product(admin, "MUG", 100)
    sale = {"product": "MUG", "quantity": 2}
    answers = await asyncio.gather(*(admin.call("POST", "/sales", json=sale, key="till-1") for _ in range(50)))
    assert {(answer.status_code, answer.text) for answer in answers} == {(201, answers[0].text)}
    assert on_hand(await admin.get("/stock-levels", product_id=mug["id"])) == 98


async def test_the_catalogue_agrees_with_the_ledger_when_the_bus_is_quiet(admin: User) -> None:
    mug = await product(admin, "MUG", 50)
    await asyncio.gather(*(admin.call("POST", "/sales", json={"product": "MUG", "quantity": 1}) for _ in range(30)))
    seen = await admin.until(f"/products/{mug['id']}", lambda body: body["quantity_in_stock"] == 20)
    assert [(place["on_hand"], place["available"]) for place in seen["stock"]] == [(20, 20)]


async def test_a_product_can_be_used_at_once(admin: User) -> None:
    """Its 201 may overtake the event that tells the stock service of it; the service waits, two seconds at most,
    which is enough unless the machine is very busy."""
    at_once = 0
    for number in range(20):
        made = await admin.post("/products", {"sku": f"NEW-{number}", "name": "New", "unit_price": "1.00"})
        movement = {"product_id": made["id"], "warehouse_code": "MAIN", "movement_type": "purchase", "quantity": 1}
        posted = await admin.call("POST", "/stock-movements", json=movement)
        assert posted.status_code == 201 or posted.json()["code"] == "unknown_product", posted.text
        at_once += posted.status_code == 201
    assert at_once > 15


async def test_every_act_is_in_the_event_log_and_the_audit_trail(admin: User) -> None:
    await product(admin, "MUG", 5)
    await admin.post("/sales", {"product": "MUG", "quantity": 1})

    def told(page: dict[str, Any]) -> bool:
        types = {event["type"] for event in page["items"]}
        return {
            "auth.user.registered",
            "catalog.product.created",
            "stock.movement.posted",
            "stock.sale.completed",
        } <= types

    events = await admin.until("/events", told, limit=100)
    assert len({event["id"] for event in events["items"]}) == len(events["items"])
    entries = (await admin.get("/audit-logs", page_size=100))["items"]
    sale = next(entry for entry in entries if entry["type"] == "stock.sale.completed")
    assert (sale["actor"], sale["ip_address"]) == ("ada", "127.0.0.1")
    assert (await admin.get("/audit-logs/verify"))["ok"] is True


async def test_logout_ends_the_access_token_within_a_second(salesperson: User) -> None:
    assert (await salesperson.call("GET", "/products")).status_code == 200
    assert (await salesperson.call("POST", "/auth/logout")).status_code < 300
    async with asyncio.timeout(1):
        while (await salesperson.call("GET", "/products")).status_code != 401:
            await asyncio.sleep(0.05)


async def test_one_document_describes_every_service(http: httpx.AsyncClient, admin: User) -> None:
    paths = (await http.get("/openapi.json")).json()["paths"]
    for path in ("/auth/login", "/products", "/sales", "/events"):
        assert f"/api/v1{path}" in paths
    assert not [path for path in paths if path.startswith("/internal")]
    calls = {f"{method} {path}": call for path, item in paths.items() for method, call in item.items()}
    undeclared = [name for name, call in calls.items() if "x-permission" not in call]
    assert not undeclared
