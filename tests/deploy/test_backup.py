"""A dump is a backup: everything is there after it was restored, and works."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg
import httpx2 as httpx

from stockbuddy.chassis.testing.clients import log_in, register

MakeReady = Callable[[str], None]
RunProgram = Callable[..., None]
Serve = Callable[[str], AbstractAsyncContextManager[httpx.AsyncClient]]
MUG = {"sku": "MUG", "name": "Blue mug", "unit_price": "7.50", "quantity": 10, "category": "Kitchen"}


async def test_a_dump_can_be_restored_and_gone_on_with(
    url: str, serve: Serve, make_ready: MakeReady, run_program: RunProgram, tmp_path: Path
) -> None:
    async with serve(url) as http:
        admin = await register(http, "ada", path="/auth/admin/register")
        made = await admin.post("/products", MUG)
        sold = await admin.post("/sales", {"product": "MUG", "quantity": 3}, key="till-1")
        await admin.until(f"/products/{made['id']}", lambda product: product["quantity_in_stock"] == 7)
    dump = tmp_path / "stockbuddy.dump"
    run_program("pg_dump", "--format=custom", "--file", dump, url)

    server = await asyncpg.connect(url)
    await server.execute("CREATE DATABASE restored TEMPLATE template0 ENCODING 'UTF8'")
    await server.close()
    restored = urlsplit(url)._replace(path="/restored").geturl()
    make_ready(restored)
    run_program("pg_restore", "--clean", "--if-exists", "--single-transaction", "--dbname", restored, dump)

    async with serve(restored) as http:
        admin = await log_in(http, "ada")
        assert await admin.post("/sales", {"product": "MUG", "quantity": 3}, key="till-1") == sold
        await admin.post("/sales", {"product": "MUG", "quantity": 2})
        await admin.until(f"/products/{made['id']}", lambda product: product["quantity_in_stock"] == 5)
        found = await admin.get("/products", search="kitch")
        assert [product["sku"] for product in found["items"]] == ["MUG"]
        assert await admin.get("/stock/integrity") == {"ok": True, "differences": []}
        assert (await admin.get("/audit-logs/verify"))["ok"] is True


async def test_the_server_can_keep_house_without_a_search_path(url: str) -> None:
    """As autovacuum and pg_restore work."""
    connection = await asyncpg.connect(url, server_settings={"search_path": ""})
    for schema in ("auth", "catalog", "stock", "notifications"):
        await connection.execute(f"REINDEX SCHEMA {schema}")
    await connection.execute("ANALYZE")
    await connection.close()
