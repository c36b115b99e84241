"""After an erasure nothing in the database, the logs or the outgoing messages names the person; totals stay."""

import asyncio
import json
from collections.abc import Iterable
from typing import Any

import asyncpg
import httpx2 as httpx
import pytest

from stockbuddy.chassis.testing.clients import PASSWORD, User, log_in

DEADLINE_SECONDS = 180
CUSTOMER = {
    "name": "Zenobia Quillfeather",
    "email": "zenobia.q@mailbox.example",
    "phone": "+44 20 7946 0999",
    "address": "17 Gooseberry Lane, Puddletown",
    "notes": "prefers deliveries after noontide",
}
SALE_NOTES = "leave it with the lodger upstairs"
USER = {"username": "wilhelmina", "email": "wilhelmina.t@mailbox.example", "full_name": "Wilhelmina Thistlewood"}
KEY_NAME = "Thistlewood's pocket phone"
INVITATION_NOTE = "for our new colleague from Thistlewood village"
VIEW_NAME, DISCARDED_VIEW_NAME, VIEW_QUERY = "Larkspur orders", "Foxglove orders", "wisteria"
TEXTS = [
    *CUSTOMER.values(), SALE_NOTES, *USER.values(), KEY_NAME, INVITATION_NOTE, "Zenobia", "Thistlewood", VIEW_NAME,
    DISCARDED_VIEW_NAME, VIEW_QUERY,
]  # fmt: skip

# Every table and partition, also those of earlier releases.
_TABLES = """
    SELECT quote_ident(n.nspname) || '.' || quote_ident(c.relname) AS name
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind = 'r' AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname !~ '^pg_toast'
"""
# Every column as text; binary columns as the text that they may contain.
_ROWS = "SELECT CAST(to_jsonb(t) AS text) AS row FROM {table} t"
_BINARY_COLUMNS = """
    SELECT quote_ident(a.attname) FROM pg_attribute a
    WHERE a.attrelid = $1::regclass AND a.atttypid = 'bytea'::regtype AND NOT a.attisdropped
"""


async def dump(database_url: str) -> dict[str, str]:
    """All rows of each table as one text."""
    connection = await asyncpg.connect(database_url)
    texts: dict[str, str] = {}
    for table in [row["name"] for row in await connection.fetch(_TABLES)]:
        rows = [row["row"] for row in await connection.fetch(_ROWS.format(table=table))]
        for (column,) in await connection.fetch(_BINARY_COLUMNS, table):
            values = await connection.fetch(f"SELECT {column} FROM {table} WHERE {column} IS NOT NULL")
            rows += [value[0].decode("utf-8", "replace") for value in values]
        texts[table] = json.dumps(json.loads(f"[{','.join(json.dumps(row) for row in rows)}]"), ensure_ascii=False)
    await connection.close()
    return texts


def findings(texts: dict[str, str], searched: Iterable[str]) -> list[tuple[str, str]]:
    return [(place, wanted) for place, text in texts.items() for wanted in searched if wanted.lower() in text.lower()]


async def until_nothing_is_found(database_url: str) -> None:
    """Erasures are completed by the consumers of the services."""
    found: list[tuple[str, str]] = [("", "")]
    try:
        async with asyncio.timeout(DEADLINE_SECONDS):
            while found:
                found = findings(await dump(database_url), TEXTS)
                await asyncio.sleep(0.2)
    except TimeoutError:
        pytest.fail(f"still stored: {found}")


async def trade(admin: User, http: httpx.AsyncClient) -> tuple[User, dict[str, Any]]:
    """A customer and a user who leave traces in every service."""
    token = (await admin.post("/auth/invitations", {"role": "manager", "note": INVITATION_NOTE}))["token"]
    registration = {"email": USER["email"], "password": PASSWORD, "access_token": token}
    response = await http.post("/api/v1/auth/salesperson", json=registration | {"full_name": USER["full_name"]})
    assert response.status_code == 201, response.text
    newcomer = User(http, USER["email"], response.json())
    renamed = await newcomer.call("PATCH", "/auth/profile", json={"username": USER["username"]})
    assert renamed.status_code == 200, renamed.text
    user = await log_in(http, USER["username"])
    failed = await http.post("/api/v1/auth/login", json={"username": USER["username"], "password": "wrong-Horse-9"})
    assert failed.status_code == 401
    await http.post("/api/v1/auth/password/forgot", json={"email": USER["email"]})
    customer = await user.post("/customers", CUSTOMER, key="customer-1")
    await user.call("PATCH", f"/customers/{customer['id']}", json={"phone": CUSTOMER["phone"] + "1"})
    product = await admin.post("/products", {"sku": "MUG", "name": "Mug", "unit_price": "10.00", "quantity": 50})
    await admin.until("/stock-levels", lambda page: page["total"] == 1, product_id=product["id"])
    sale = {"product": "MUG", "quantity": 3, "customer_id": customer["id"], "notes": SALE_NOTES}
    await user.post("/sales", sale, key="sale-1")
    await user.post("/auth/api-keys", {"name": KEY_NAME}, key="key-1")
    view = {"path": "/sales", "name": VIEW_NAME, "query": "search=mug"}
    saved = await user.post("/views", view, key="view-1")
    await user.call("PATCH", f"/views/{saved['id']}", json={"query": f"search={VIEW_QUERY}"})
    discarded = await user.post("/views", view | {"name": DISCARDED_VIEW_NAME}, key="view-2")
    await user.call("DELETE", f"/views/{discarded['id']}")
    await admin.call("PUT", "/system-settings", json={"alert_emails": [USER["email"], "shop@example.com"]})
    webhook = {"url": "https://hooks.example.com/in", "event_types": ["*"]}
    await admin.post("/webhooks", webhook)
    return user, customer


async def totals(admin: User) -> list[Any]:
    """What must not change with an erasure; names are not part of it."""
    by_customer = await admin.get("/reports/sales", group_by="customer")
    by_seller = await admin.get("/reports/sales", group_by="seller")
    rows = [
        {name: value for name, value in row.items() if name not in ("customer", "seller")}
        for report in (by_customer, by_seller)
        for row in report["rows"]
    ]
    return [rows, (await admin.get("/stock/integrity"))["ok"], (await admin.get("/sales"))["total"]]


async def test_nothing_names_a_customer_and_a_user_after_their_erasure(
    admin: User, http: httpx.AsyncClient, database_url: str, caplog: pytest.LogCaptureFixture, capfd: Any
) -> None:
    user, customer = await trade(admin, http)
    user_id = (await user.get("/auth/profile"))["id"]
    await admin.until("/events", lambda page: "notifications.webhook.created" in str(page), limit=1000)
    missing = set(TEXTS) - {wanted for _, wanted in findings(await dump(database_url), TEXTS)}
    assert not missing, "the test leaves no trace of these"
    before = await totals(admin)
    cursor = (await admin.get("/events", limit=1000))["next_cursor"]

    erased = await admin.post(f"/customers/{customer['id']}/erase")
    assert (erased["name"], erased["email"], erased["phone"]) == (f"erased-{customer['id']}", None, None)
    neutral = await admin.post(f"/users/{user_id}/erase")
    assert (neutral["username"], neutral["is_active"], neutral["full_name"]) == (f"erased-{user_id}", False, None)
    async with asyncio.timeout(DEADLINE_SECONDS):
        while (await user.call("GET", "/auth/profile")).status_code != 401:
            await asyncio.sleep(0.05)
    await until_nothing_is_found(database_url)

    assert await totals(admin) == before
    verdict = await admin.get("/audit-logs/verify")
    assert (verdict["ok"], verdict["altered_values"]) == (True, 0)
    published = await admin.until("/events", lambda page: "auth.user.erased" in str(page), after=cursor, limit=1000)
    assert not findings({"events": json.dumps(published)}, TEXTS)
    everything = await admin.get("/events", limit=1000)
    assert not findings({"feed": json.dumps(everything)}, TEXTS)
    trail = await admin.get("/audit-logs", actor_id=user_id)
    assert trail["total"] > 3
    assert {entry["actor"] for entry in trail["items"]} == {"[erased]"}
    logged = "".join(capfd.readouterr()) + caplog.text
    assert not findings({"log": logged}, [text for text in TEXTS if text != USER["username"]])


async def test_erasure_is_final(admin: User, http: httpx.AsyncClient) -> None:
    customer = await admin.post("/customers", CUSTOMER)
    path = f"/customers/{customer['id']}"
    first = await admin.post(f"{path}/erase")
    assert await admin.post(f"{path}/erase") == first
    changed = await admin.call("PATCH", path, json={"name": "Zenobia"})
    assert (changed.status_code, changed.json()["code"]) == (409, "customer_erased")
    sold = await admin.call("POST", "/sales", json={"customer_id": customer["id"], "lines": []})
    assert sold.status_code in (404, 422)
    own = (await admin.get("/auth/profile"))["id"]
    last = await admin.call("POST", f"/users/{own}/erase")
    assert (last.status_code, last.json()["code"]) == (409, "last_admin")
    response = await http.post("/api/v1/auth/register", json={**USER, "password": PASSWORD})
    user_id = response.json().get("id") or response.json()["user"]["id"]
    await admin.post(f"/users/{user_id}/erase")
    assert (await admin.call("PATCH", f"/users/{user_id}", json={"is_active": True})).json()["code"] == "user_erased"
    again = await http.post("/api/v1/auth/register", json={**USER, "password": PASSWORD})
    assert again.status_code == 201, "name and address are free again"
    taken = await http.post(
        "/api/v1/auth/register", json={"username": "erased-99", "email": "e@example.com", "password": PASSWORD}
    )
    assert taken.status_code == 422


async def test_export_has_the_data_of_every_service(admin: User, http: httpx.AsyncClient) -> None:
    user, customer = await trade(admin, http)
    user_id = (await user.get("/auth/profile"))["id"]
    await admin.post("/notifications", {"user_id": user_id, "title": "Hello", "body": "Welcome"})
    await admin.until("/audit-logs", lambda page: page["total"] > 0, type="auth.settings.changed")
    export = await admin.get(f"/customers/{customer['id']}/personal-data")
    assert export["person"] == f"customer/{customer['id']}"
    assert {"customer", "sales", "logged_values", "events"} <= set(export["sections"])
    expected = {name: value for name, value in CUSTOMER.items() if name != "phone"}
    assert expected.items() <= export["sections"]["customer"][0].items()
    assert SALE_NOTES in json.dumps(export["sections"]["sales"])
    of_user = await admin.get(f"/users/{user_id}/personal-data")
    sections = {
        "account",
        "sessions",
        "api_keys",
        "invitations",
        "views",
        "sold",
        "recipient",
        "logged_values",
        "notifications",
    }
    assert sections | {"audit_entries"} <= set(of_user["sections"])
    assert "password" not in json.dumps(of_user["sections"]["account"])
    refused = await user.call("GET", f"/users/{user_id}/personal-data")
    assert (refused.status_code, refused.json()["code"]) == (403, "forbidden")
    assert (await admin.call("GET", "/customers/999/personal-data")).status_code == 404
