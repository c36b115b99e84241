"""Backup and restore with pg_dump and pg_restore; maintenance by the server."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg
import httpx2 as httpx

from stockbuddy.chassis.testing.clients import log_in, register

CreateRoles = Callable[[str], None]
RunProgram = Callable[..., None]
Serve = Callable[[str], AbstractAsyncContextManager[httpx.AsyncClient]]
MUG = {"sku": "MUG", "name": "Blue mug", "unit_price": "7.50", "quantity": 10, "category": "Kitchen"}


async def test_system_restored_from_a_dump_has_all_data_and_works(
    url: str, serve: Serve, create_roles: CreateRoles, run_program: RunProgram, tmp_path: Path
) -> None:
    async with serve(url) as http:
        admin = await register(http, "ada", path="/auth/admin/register")
        product = await admin.post("/products", MUG)
        sold = await admin.post("/sales", {"product": "MUG", "quantity": 3}, key="till-1")
        await admin.until(f"/products/{product['id']}", lambda body: body["quantity_in_stock"] == 7)
    dump = tmp_path / "stockbuddy.dump"
    run_program("pg_dump", "--format=custom", "--file", dump, url)

    server = await asyncpg.connect(url)
    await server.execute("CREATE DATABASE restored TEMPLATE template0 ENCODING 'UTF8'")
    await server.close()
    restored = urlsplit(url)._replace(path="/restored").geturl()
    create_roles(restored)
    run_program("pg_restore", "--clean", "--if-exists", "--single-transaction", "--dbname", restored, dump)

    async with serve(restored) as http:
        admin = await log_in(http, "ada")
        assert await admin.post("/sales", {"product": "MUG", "quantity": 3}, key="till-1") == sold
        await admin.post("/sales", {"product": "MUG", "quantity": 2})
        await admin.until(f"/products/{product['id']}", lambda body: body["quantity_in_stock"] == 5)
        found = await admin.get("/products", search="kitch")
        assert [item["sku"] for item in found["items"]] == ["MUG"]
        assert await admin.get("/stock/integrity") == {"ok": True, "differences": [], "value_differences": []}
        assert (await admin.get("/audit-logs/verify"))["ok"] is True


async def test_reindex_and_analyze_work_without_a_search_path(url: str) -> None:
    """autovacuum and pg_restore run without one."""
    connection = await asyncpg.connect(url, server_settings={"search_path": ""})
    for schema in ("auth", "catalog", "stock", "notifications"):
        await connection.execute(f"REINDEX SCHEMA {schema}")
    await connection.execute("ANALYZE")
    await connection.close()
