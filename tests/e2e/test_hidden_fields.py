"""Costs and customers' data, which only callers with the permission see: in every operation, format and event."""

import io
import re
import zipfile
from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx2 as httpx
import pytest

from stockbuddy.chassis.testing.clients import User, log_in, register

COSTS = ("41.37", "82.74", "58.63", "117.26", "124.11", "206.85")
"""The cost of one to three and of five, and the profit of one and two at a price of 100."""
COST_FIELDS = re.compile(
    r'"(unit_cost|cost|cost_price|average_cost|profit|gross_profit|value|correction|inventory_value|value_in_transit)":'
)
CUSTOMER = ("Zebulon", "zebulon@example.com", "555-0199", "Quagmire Lane")


@pytest.fixture
async def ids(admin: User) -> dict[str, Any]:
    """Identifiers of one of everything, for the parameters of paths; all of it at a cost of 41.37."""
    supplier = await admin.post("/suppliers", {"name": "Acme"})
    body = {"name": "Lamp", "sku": "LAMP", "unit_price": "100", "cost_price": "41.37", "supplier_id": supplier["id"]}
    product = await admin.post("/products", body | {"barcodes": ["12345678"], "category": "Light"})
    line = {"product_id": product["id"]}
    second = await admin.post("/warehouses", {"name": "Second", "code": "SECOND"})
    warehouses = (await admin.get("/warehouses"))["items"]
    first = next(warehouse["id"] for warehouse in warehouses if warehouse["id"] != second["id"])
    receipt = {**line, "warehouse_id": first, "movement_type": "purchase", "quantity": 5, "unit_cost": "41.37"}
    movement = await admin.post("/stock-movements", receipt)
    name, email, phone, address = CUSTOMER
    customer = await admin.post("/customers", {"name": name, "email": email, "phone": phone, "address": address})
    sale = await admin.post("/sales", {"customer_id": customer["id"], "lines": [{**line, "quantity": 2}]})
    await admin.post(f"/sales/{sale['id']}/returns", {"lines": [{**line, "quantity": 1}]})
    places = {"from_warehouse_id": first, "to_warehouse_id": second["id"]}
    transfer = await admin.post("/stock-transfers", {**line, **places, "quantity": 1})
    await admin.post(f"/stock-transfers/{transfer['id']}/ship")
    ordered = {"supplier_id": supplier["id"], "warehouse_id": first}
    order = await admin.post("/purchase-orders", ordered | {"lines": [{**line, "quantity": 3, "unit_cost": "41.37"}]})
    await admin.post(f"/purchase-orders/{order['id']}/order")
    await admin.post(f"/purchase-orders/{order['id']}/receive", {})
    reservation = await admin.post("/reservations", {"lines": [{**line, "quantity": 1}]})
    count = await admin.post("/stock-counts", {"warehouse_id": first})
    wanted = {"stock.purchase.received", "stock.sale.returned", "stock.transfer.shipped", "stock.customer.created"}
    await admin.until("/events", lambda page: wanted <= {event["type"] for event in page["items"]}, limit=500)
    return {
        "product_id": product["id"],
        "sku": "LAMP",
        "code": "12345678",
        "supplier_id": supplier["id"],
        "category_id": product["category_id"],
        "movement_id": movement["id"],
        "customer_id": customer["id"],
        "sale_id": sale["id"],
        "transfer_id": transfer["id"],
        "order_id": order["id"],
        "reservation_id": reservation["id"],
        "count_id": count["id"],
        "warehouse_id": first,
    }


async def caller_without(http: httpx.AsyncClient, admin: User, permission: str) -> User:
    """A user with all other permissions."""
    names = [item["name"] for item in (await admin.get("/permissions"))["items"] if item["name"] != permission]
    await admin.post("/roles", {"name": "limited", "permissions": names})
    user = await register(http, "lea")
    await admin.call("PATCH", f"/users/{user.tokens['user']['id']}", json={"role": "limited"})
    return await log_in(http, "lea")


def reads(document: dict[str, Any], ids: dict[str, Any]) -> Iterator[str]:
    """Every path that can be read with these identifiers, in each format."""
    for path, item in document["paths"].items():
        operation = item.get("get")
        names = re.findall(r"\{([^}]+)\}", path)
        if (
            operation is None
            or not path.startswith("/api/v1/")
            or path.endswith(("/stream", "/ws", "/oidc/{provider}"))
        ):
            continue
        if operation["x-permission"] == "public" or not ids.keys() >= set(names):
            continue
        filled = re.sub(r"\{([^}]+)\}", lambda match: str(ids[match[1]]), path).removeprefix("/api/v1")
        formats = [p["schema"].get("enum", ()) for p in operation["parameters"] if p.get("name") == "format"]
        yield filled
        for name in (
            formats[0] if formats else ("csv", "xlsx") if filled.startswith(("/reports/", "/products/export")) else ()
        ):
            yield f"{filled}?format={name}"
    yield "/reports/movements?group_by=none"
    yield "/reports/sales?group_by=customer"
    yield "/reports/sales?group_by=product&format=csv"
    yield "/sales?search=Zebulon"
    yield "/events?limit=500"


async def contents(caller: User, path: str) -> tuple[int, str]:
    """The status and the text of a response; of a workbook that of its sheets."""
    response = await caller.call("GET", path)
    if "spreadsheetml" in response.headers.get("content-type", ""):
        with zipfile.ZipFile(io.BytesIO(response.content)) as archive:
            return response.status_code, "".join(archive.read(name).decode() for name in archive.namelist())
    return response.status_code, response.text


async def first_events(caller: User, number: int) -> AsyncIterator[str]:
    """The data of the first events of a stream from the beginning of the log."""
    params = {"types": "*", "after": (await caller.get("/events", limit=1))["next_cursor"]}
    headers = {"Authorization": f"Bearer {caller.tokens['access_token']}"}
    async with caller.http.stream("GET", "/api/v1/stream", params=params, headers=headers) as stream:
        async for line in stream.aiter_lines():
            if line.startswith("data: ") and (number := number - 1) >= 0:
                yield line
            if not number:
                return


async def test_costs_are_in_no_response_without_their_permission(
    http: httpx.AsyncClient, admin: User, ids: dict[str, Any]
) -> None:
    document = (await http.get("/openapi.json")).json()
    limited = await caller_without(http, admin, "cost.read")
    leaks, shown = list[str](), 0
    for path in reads(document, ids):
        status, text = await contents(limited, path)
        assert status in (200, 403), (path, text)
        if COST_FIELDS.search(text) or any(cost in text for cost in COSTS):
            leaks.append(path)
        _, text_of_admin = await contents(admin, path)
        shown += any(cost in text_of_admin for cost in COSTS)
    assert not leaks
    assert shown > 20, "the admin sees costs in these responses"
    number = len((await limited.get("/events", limit=500))["items"]) - 1
    streamed = [line async for line in first_events(limited, number)]
    assert not [line for line in streamed if any(cost in line for cost in COSTS)]
    assert any('"stock.sale.completed"' in line for line in streamed)


async def test_responses_to_writes_show_no_costs_and_replays_neither(
    http: httpx.AsyncClient, admin: User, ids: dict[str, Any]
) -> None:
    sale = {"lines": [{"product_id": ids["product_id"], "quantity": 1}]}
    user = await register(http, "mia")
    path = f"/users/{user.tokens['user']['id']}"
    await admin.call("PATCH", path, json={"role": "manager"})
    manager = await log_in(http, "mia")
    first = await manager.call("POST", "/sales", json=sale, key="s-1")
    assert first.json()["cost"] == "41.37"
    await admin.call("PATCH", path, json={"role": "salesperson"})
    salesperson = await log_in(http, "mia")
    replayed = await salesperson.call("POST", "/sales", json=sale, key="s-1")
    assert replayed.headers["Idempotent-Replayed"] == "true"
    assert replayed.json()["id"] == first.json()["id"]
    fresh = await salesperson.call("POST", "/sales", json=sale, key="s-2")
    for response in (replayed, fresh):
        assert response.status_code == 201
        assert not COST_FIELDS.search(response.text)
        assert response.json()["total"] == "100.00"


async def test_entity_tags_differ_by_what_the_caller_may_see(
    http: httpx.AsyncClient, admin: User, salesperson: User, ids: dict[str, Any]
) -> None:
    path = f"/products/{ids['product_id']}"
    full, limited = await admin.call("GET", path), await salesperson.call("GET", path)
    assert full.headers["ETag"] != limited.headers["ETag"]
    for caller, response in ((admin, full), (salesperson, limited)):
        known = await caller.call("GET", path, headers={"If-None-Match": response.headers["ETag"]})
        assert known.status_code == 304
    assert (await admin.call("GET", path, headers={"If-None-Match": limited.headers["ETag"]})).status_code == 200
    own = await salesperson.post("/products", {"name": "Own", "sku": "OWN", "unit_price": "1"})
    got = await salesperson.call("GET", f"/products/{own['id']}")
    changed = await salesperson.call(
        "PATCH", f"/products/{own['id']}", json={"name": "Mine"}, headers={"If-Match": got.headers["ETag"]}
    )
    assert changed.status_code == 200, changed.text


async def test_customers_are_in_no_response_without_their_permission(
    http: httpx.AsyncClient, admin: User, ids: dict[str, Any]
) -> None:
    document = (await http.get("/openapi.json")).json()
    limited = await caller_without(http, admin, "customer.read")
    await limited.call("GET", "/audit-logs")
    leaks = list[str]()
    for path in reads(document, ids):
        status, text = await contents(limited, path)
        assert status in (200, 403), (path, text)
        if any(value in text for value in CUSTOMER):
            leaks.append(path)
    assert not leaks
    assert (await limited.get("/sales", search="Zebulon"))["total"] == 0
    assert (await admin.get("/sales", search="Zebulon"))["total"] == 1
    named = {"customer": "Zebulon", "lines": [{"product_id": ids["product_id"], "quantity": 1}]}
    assert (await limited.call("POST", "/sales", json=named)).status_code == 403


async def test_discount_beyond_the_limit_of_the_role_is_rejected(
    http: httpx.AsyncClient, admin: User, ids: dict[str, Any]
) -> None:
    permissions = ["catalog.read", "stock.read", "sale.create", "sale.read", "sale.void"]
    await admin.post("/roles", {"name": "cashier", "permissions": permissions})
    user = await register(http, "kim")
    path = f"/users/{user.tokens['user']['id']}"

    async def sell(**line: Any) -> httpx.Response:
        cashier = await log_in(http, "kim")
        return await cashier.call(
            "POST", "/sales", json={"lines": [{"product_id": ids["product_id"], "quantity": 1, **line}]}
        )

    await admin.call("PATCH", path, json={"role": "cashier"})
    assert (await sell()).status_code == 201
    assert (await sell(unit_price="99.99")).json()["code"] == "discount_forbidden"
    limits = {"permissions": [*permissions, "sale.discount"], "max_discount_percent": 10}
    await admin.call("PATCH", "/roles/cashier", json=limits)
    assert (await sell(unit_price="95", discount="5")).status_code == 201
    refused = await sell(unit_price="95", discount="5.01")
    assert (refused.status_code, refused.json()["max_discount_percent"]) == (403, 10)
    foreign = await (await log_in(http, "kim")).call("POST", f"/sales/{ids['sale_id']}/void")
    assert (foreign.status_code, foreign.json()["code"]) == (403, "not_seller")
