"""The guarantees of the product, as a client of the gateway observes them."""

import asyncio
from collections import Counter
from typing import Any

import httpx2 as httpx

from stockbuddy.chassis.testing.clients import User
from stockbuddy.contracts.topology import CONSUMER_GROUPS, matches
from stockbuddy.embedded.service_registry import SERVICES


async def create_product(user: User, sku: str, quantity: int = 0, **fields: Any) -> dict[str, Any]:
    """Create a product and wait for its opening stock."""
    body = {"sku": sku, "name": f"Product {sku}", "unit_price": "10.00", **fields}
    created: dict[str, Any] = await user.post("/products", {**body, **({"quantity": quantity} if quantity else {})})
    if quantity:
        await user.until("/stock-levels", lambda page: on_hand(page) == quantity, product_id=created["id"])
    return created


def on_hand(page: dict[str, Any]) -> float:
    return float(sum(level["on_hand"] for level in page["items"]))


async def test_sale_with_shortages_is_rejected_as_a_whole_and_lists_each(admin: User) -> None:
    plenty, few, none = [await create_product(admin, f"P-{n}", n) for n in (100, 2, 0)]
    lines = [{"product_id": p["id"], "quantity": 3} for p in (plenty, few, none)]
    rejected = await admin.call("POST", "/sales", json={"lines": lines})
    assert (rejected.status_code, rejected.json()["code"]) == (409, "insufficient_stock")
    available = {shortage["product_id"]: shortage["available"] for shortage in rejected.json()["shortages"]}
    assert available == {few["id"]: 2, none["id"]: 0}
    assert on_hand(await admin.get("/stock-levels", product_id=plenty["id"])) == 100


async def test_lines_of_one_product_are_checked_together(admin: User) -> None:
    mug = await create_product(admin, "MUG", 5)
    lines = [{"product_id": mug["id"], "quantity": 3}, {"sku": "MUG", "quantity": 3}]
    assert (await admin.call("POST", "/sales", json={"lines": lines})).status_code == 409
    assert on_hand(await admin.get("/stock-levels", product_id=mug["id"])) == 5


async def test_200_concurrent_sales_of_100_units_sell_exactly_100(admin: User) -> None:
    mug = await create_product(admin, "MUG", 100)
    sale = {"product": mug["id"], "quantity": 1}
    responses = await asyncio.gather(*(admin.call("POST", "/sales", json=sale) for _ in range(200)))
    assert Counter(response.status_code for response in responses) == {201: 100, 409: 100}
    assert on_hand(await admin.get("/stock-levels", product_id=mug["id"])) == 0
    assert await admin.get("/stock/integrity") == {"ok": True, "differences": [], "value_differences": []}


async def test_50_concurrent_requests_with_one_key_sell_once(admin: User) -> None:
    mug = await create_product(admin, "MUG", 100)
    sale = {"product": "MUG", "quantity": 2}
    responses = await asyncio.gather(*(admin.call("POST", "/sales", json=sale, key="till-1") for _ in range(50)))
    assert {(response.status_code, response.text) for response in responses} == {(201, responses[0].text)}
    assert on_hand(await admin.get("/stock-levels", product_id=mug["id"])) == 98


async def test_catalog_agrees_with_ledger_once_events_are_consumed(admin: User) -> None:
    mug = await create_product(admin, "MUG", 50)
    await asyncio.gather(*(admin.call("POST", "/sales", json={"product": "MUG", "quantity": 1}) for _ in range(30)))
    body = await admin.until(f"/products/{mug['id']}", lambda product: product["quantity_in_stock"] == 20)
    assert [(place["on_hand"], place["available"]) for place in body["stock"]] == [(20, 20)]


async def test_new_product_can_be_used_immediately(admin: User) -> None:
    """The next request may reach stock before the product's event; stock waits for it, two seconds at most, which
    suffices unless the machine is very busy."""
    used = 0
    for number in range(20):
        created = await admin.post("/products", {"sku": f"NEW-{number}", "name": "New", "unit_price": "1.00"})
        movement = {"product_id": created["id"], "warehouse_code": "MAIN", "movement_type": "purchase", "quantity": 1}
        posted = await admin.call("POST", "/stock-movements", json=movement)
        assert posted.status_code == 201 or posted.json()["code"] == "unknown_product", posted.text
        used += posted.status_code == 201
    assert used > 15


async def test_every_change_is_in_event_log_and_audit_trail(admin: User) -> None:
    await create_product(admin, "MUG", 5)
    await admin.post("/sales", {"product": "MUG", "quantity": 1})

    def is_complete(page: dict[str, Any]) -> bool:
        types = {event["type"] for event in page["items"]}
        return {
            "auth.user.registered",
            "catalog.product.created",
            "stock.movement.posted",
            "stock.sale.completed",
        } <= types

    events = await admin.until("/events", is_complete, limit=100)
    assert len({event["id"] for event in events["items"]}) == len(events["items"])
    entries = (await admin.get("/audit-logs", page_size=100))["items"]
    sale = next(entry for entry in entries if entry["type"] == "stock.sale.completed")
    assert (sale["actor"], sale["ip_address"]) == ("ada", "127.0.0.1")
    assert (await admin.get("/audit-logs/verify"))["ok"] is True


async def test_valid_access_token_is_rejected_after_logout(salesperson: User) -> None:
    assert (await salesperson.call("GET", "/products")).status_code == 200
    assert (await salesperson.call("POST", "/auth/logout")).status_code < 300
    async with asyncio.timeout(60):
        while (await salesperson.call("GET", "/products")).status_code != 401:
            await asyncio.sleep(0.05)


async def test_openapi_document_describes_every_service(http: httpx.AsyncClient, admin: User) -> None:
    paths = (await http.get("/openapi.json")).json()["paths"]
    for path in ("/auth/login", "/products", "/sales", "/events"):
        assert f"/api/v1{path}" in paths
    assert not [path for path in paths if path.startswith("/internal")]
    calls = {f"{method} {path}": call for path, item in paths.items() for method, call in item.items()}
    undeclared = [name for name, call in calls.items() if "x-permission" not in call]
    assert not undeclared


def test_every_queue_receives_what_its_handlers_handle() -> None:
    for embedded in SERVICES:
        for consumer in embedded.service.consumers:
            bound = CONSUMER_GROUPS[consumer.group]
            assert not [p for p in consumer.handlers if not any(matches(pattern, p) for pattern in bound)], (
                consumer.group
            )
