"""Opening stock through the catalog has the permissions of the movement that it becomes."""

import asyncio
from typing import Any

import httpx2 as httpx
import pytest

from stockbuddy.chassis.testing.clients import User

TIMEOUT_SECONDS = 30


@pytest.fixture
async def restricted_key(admin: User) -> dict[str, str]:
    """Headers with an API key that is restricted to a warehouse other than the default one."""
    shop = await admin.post("/warehouses", {"name": "Catalog's shop", "code": "CATALOG-SHOP"})
    body = {"name": "till", "role": "manager", "warehouse_ids": [shop["id"]]}
    return {"X-API-Key": (await admin.post("/auth/api-keys", body))["key"]}


async def finished_import(http: httpx.AsyncClient, headers: dict[str, str], content: bytes) -> dict[str, Any]:
    answer = await http.post("/api/v1/products/import", files={"file": ("x.csv", content)}, headers=headers)
    assert answer.status_code == 202, answer.text
    job: dict[str, Any] = answer.json()
    async with asyncio.timeout(TIMEOUT_SECONDS):
        while job["state"] not in ("finished", "failed"):
            await asyncio.sleep(0.05)
            job = (await http.get(f"/api/v1/imports/{job['id']}", headers=headers)).json()
    return job


async def test_restricted_key_opens_no_stock_in_the_default_warehouse(
    http: httpx.AsyncClient, admin: User, restricted_key: dict[str, str]
) -> None:
    body = {"name": "Crate", "sku": "CATALOG-S3", "unit_price": "1", "quantity": 10}
    made = await admin.post("/products", body | {"sku": "CATALOG-S3-ADMIN"})

    created = await http.post("/api/v1/products", json=body, headers=restricted_key)
    alias = await http.post("/api/v1/products/create", json=body, headers=restricted_key)
    without_stock = await http.post(
        "/api/v1/products", json={"name": "Crate", "sku": "CATALOG-S3-EMPTY", "unit_price": "1"}, headers=restricted_key
    )
    job = await finished_import(http, restricted_key, b"sku,name,unit_price,quantity\nCATALOG-S3,Crate,1,10\n")

    assert (created.status_code, created.json()["code"]) == (403, "warehouse_forbidden")
    assert (alias.status_code, without_stock.status_code) == (403, 201)
    assert (job["created"], job["failed"]) == (0, 1)
    moved = await admin.until("/stock-movements", lambda page: page["total"] > 0, product_id=made["id"])
    assert moved["items"][0]["quantity"] == 10
    assert (await admin.call("GET", "/products/by-sku/CATALOG-S3")).status_code == 404
