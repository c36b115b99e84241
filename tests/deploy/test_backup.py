"""Backup and restore of services with their own database roles; maintenance by the server."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg
import httpx2 as httpx

from stockbuddy.chassis.testing.clients import log_in, register
from stockbuddy.embedded.backup.create_backup import create_backup
from stockbuddy.embedded.backup.restore_backup import restore_backup
from stockbuddy.embedded.backup.settings import BackupSettings

CreateRoles = Callable[[str], None]
Serve = Callable[[str], AbstractAsyncContextManager[httpx.AsyncClient]]
MUG = {"sku": "MUG", "name": "Blue mug", "unit_price": "7.50", "quantity": 10, "category": "Kitchen"}


async def test_restored_system_has_all_data_and_works(
    url: str, serve: Serve, create_roles: CreateRoles, tmp_path: Path
) -> None:
    async with serve(url) as http:
        admin = await register(http, "ada", path="/auth/admin/register")
        product = await admin.post("/products", MUG)
        sold = await admin.post("/sales", {"product": "MUG", "quantity": 3}, key="till-1")
        await admin.until(f"/products/{product['id']}", lambda body: body["quantity_in_stock"] == 7)
    values = {"STOCKBUDDY_DATA": tmp_path, "image_store": str(tmp_path), "backup_passphrase": "correct horse battery"}
    backup = tmp_path / "kept/shop.backup"
    await create_backup(url, backup, BackupSettings.model_validate(values))

    server = await asyncpg.connect(url)
    await server.execute("CREATE DATABASE restored TEMPLATE template0 ENCODING 'UTF8'")
    await server.close()
    restored = urlsplit(url)._replace(path="/restored").geturl()
    create_roles(restored)
    await restore_backup(backup, BackupSettings.model_validate(values | {"database_url": restored}))

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
