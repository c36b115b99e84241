"""The roles of deploy/postgres: each service works without owning its tables, and can't access those of others."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

import asyncpg
import httpx2 as httpx
import pytest

from stockbuddy.chassis.testing.clients import register
from stockbuddy.embedded.service_registry import SERVICES

AsRole = Callable[[str, str], str]
Serve = Callable[[str], AbstractAsyncContextManager[httpx.AsyncClient]]
NAMES = [embedded.name for embedded in SERVICES]
REWRITING = (
    "UPDATE stock.movement SET quantity = quantity",
    "DELETE FROM stock.movement",
    "TRUNCATE stock.movement CASCADE",
    "DROP TRIGGER movement_is_append_only ON stock.movement",
    "ALTER TABLE stock.movement DISABLE TRIGGER ALL",
    "SET session_replication_role = replica",
    "SET ROLE stock_owner",
    "DELETE FROM stock.level",
)


async def test_system_works_with_service_roles(url: str, serve: Serve) -> None:
    async with serve(url) as http:
        admin = await register(http, "ada", path="/auth/admin/register")
        product = await admin.post("/products", {"sku": "MUG", "name": "Mug", "unit_price": "7.50", "quantity": 10})
        sale = await admin.post("/sales", {"product": "MUG", "quantity": 3}, key="till-1")
        await admin.post(f"/sales/{sale['id']}/returns", {"lines": [{"product_id": product["id"], "quantity": 1}]})
        await admin.until(f"/products/{product['id']}", lambda body: body["quantity_in_stock"] == 8)
        await admin.until("/audit-logs", lambda page: any(e["type"] == "stock.sale.completed" for e in page["items"]))
        assert await admin.get("/stock/integrity") == {"ok": True, "differences": [], "value_differences": []}
        assert (await admin.get("/audit-logs/verify"))["ok"] is True


async def test_service_role_can_not_read_tables_of_other_services(url: str, as_role: AsRole) -> None:
    for name in NAMES:
        connection = await asyncpg.connect(as_role(url, name))
        for other in NAMES:
            if other == name:
                assert await connection.fetchval(f"SELECT count(*) FROM {other}.outbox_chunk") == 0
            else:
                with pytest.raises(asyncpg.InsufficientPrivilegeError):
                    await connection.execute(f"SELECT FROM {other}.outbox_chunk")
        await connection.close()


async def test_service_roles_can_not_modify_ledger_and_event_log(url: str, as_role: AsRole) -> None:
    stock = await asyncpg.connect(as_role(url, "stock"))
    for statement in REWRITING:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await stock.execute(statement)
    await stock.close()
    notifications = await asyncpg.connect(as_role(url, "notifications"))
    for statement in ("UPDATE notifications.event_log SET type = type", "DELETE FROM notifications.event_log"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await notifications.execute(statement)
    await notifications.close()


async def test_service_roles_maintain_partitions_only_through_the_steps(url: str, as_role: AsRole) -> None:
    for name, steps in (("stock", ["keep_movements"]), ("notifications", ["keep_event_log"]), ("auth", [])):
        role = await asyncpg.connect(as_role(url, name), server_settings={"search_path": name})
        for step in ("keep_outbox", "keep_inbox", "keep_idempotency_keys", *steps):
            await role.execute(f"SELECT {step}()")
        for statement in (
            "SELECT start_period('idempotency_key', 'LIMIT 0')",
            "SELECT drop_partition('inbox', 'inbox_default', ARRAY['false'])",
            "DROP TABLE inbox_default",
        ):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await role.execute(statement)
        await role.close()
