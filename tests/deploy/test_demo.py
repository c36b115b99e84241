"""`make demo` on an empty system: every report has something to show, and a second run changes nothing."""

import asyncio
import os
import re
import stat
import sys
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest

from stockbuddy.chassis.testing.clients import User, log_in, serving, until_ready
from stockbuddy.embedded.accounts import FILE_NAME, CredentialsFile
from stockbuddy.embedded.system import System
from stockbuddy.local_servers.postgres import LocalPostgres

pytestmark = pytest.mark.timeout(300)


async def run_demo(url: str, data: Path) -> tuple[str, str]:
    """Its output and its notices."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "stockbuddy.embedded.demo"),
        env={**os.environ, "STOCKBUDDY_URL": url, "STOCKBUDDY_DATA": str(data)},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    output, notices = await process.communicate()
    assert process.returncode == 0, notices.decode()
    return output.decode(), notices.decode()


def printed(output: str, name: str) -> list[str]:
    """The numbers in a row of the output."""
    found = re.search(rf"^{re.escape(name)}\s+(.*)$", output, re.MULTILINE)
    assert found is not None, output
    return [number.replace(",", "") for number in re.findall(r"\d[\d,]*(?:\.\d+)?", found[1])]


async def rows(owner: User, report: str, **parameters: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await owner.get(f"/reports/{report}", **parameters))["rows"]
    assert found, report
    return found


async def test_demo_shop_fills_every_report_once(private_postgres: LocalPostgres, tmp_path: Path) -> None:
    system = System(private_postgres.url, env="development")
    async with (
        system.running(),
        serving(system.gateway) as base_url,
        httpx.AsyncClient(base_url=base_url, timeout=180) as http,
    ):
        await until_ready(http)
        output, notices = await run_demo(base_url, tmp_path)
        file = CredentialsFile(tmp_path / FILE_NAME)
        assert stat.S_IMODE(file.path.stat().st_mode) == 0o600
        credentials = file.find(base_url)
        assert credentials is not None
        assert f"Registered the first admin, {credentials.username}" in notices
        assert credentials.password not in output + notices
        owner = await log_in(http, credentials.username, credentials.password)
        await verify_totals(owner, output)
        await verify_documents(owner)
        await verify_reports(owner)
        before = await owner.get("/dashboard/stats")
        again, notices = await run_demo(base_url, tmp_path)
        assert again.startswith("The demo shop of ")
        assert "Logged in as" in notices
        assert await owner.get("/dashboard/stats") == before


async def verify_totals(owner: User, output: str) -> None:
    """The printed totals equal those of the API."""
    dashboard = await owner.get("/dashboard/stats")
    days = dashboard["sales_by_day"]
    assert printed(output, "sales in 30 days")[0] == str(sum(day["count"] for day in days))
    revenue = sum(Decimal(day["revenue"]) for day in days)
    assert Decimal(printed(output, "sales in 30 days")[1]) == revenue > 0
    assert printed(output, "sales today")[0] == str(dashboard["sales_today"]["count"])
    assert dashboard["sales_today"]["count"] > 0
    units, value = printed(output, "stock")
    assert (Decimal(units), Decimal(value)) == (dashboard["total_units"], Decimal(dashboard["inventory_value"]))
    assert printed(output, "products")[0] == str(dashboard["total_products"])
    assert dashboard["low_stock_count"] > dashboard["out_of_stock_count"]
    assert printed(output, "open purchase orders") == [str(dashboard["open_purchase_orders"])] == ["2"]
    assert printed(output, "transfers in transit") == ["1"]


async def verify_documents(owner: User) -> None:
    orders = (await owner.get("/purchase-orders"))["items"]
    assert {order["status"] for order in orders} == {"received", "partially_received", "ordered", "draft"}
    transfers = (await owner.get("/stock-transfers"))["items"]
    assert {transfer["status"] for transfer in transfers} == {"completed", "in_transit"}
    for path in ("/suppliers", "/customers", "/expenses", "/reorder-rules", "/reorder-suggestions"):
        assert (await owner.get(path))["items"], path
    (count,) = (await owner.get("/stock-counts"))["items"]
    assert count["status"] == "approved"
    assert sorted({line["difference"] for line in count["lines"]}) == [-1, 0]
    returned = await owner.get("/sales", status="partially_returned")
    assert returned["total"] + (await owner.get("/sales", status="returned"))["total"] > 2
    assert (await owner.get("/stock/integrity"))["ok"] is True


async def verify_reports(owner: User) -> None:
    now = datetime.now(UTC)
    before_opening, after_opening = [(now - timedelta(days=days)).date().isoformat() for days in (37, 32)]
    assert (await owner.get("/reports/inventory-valuation", as_of=before_opening))["totals"]["quantity"] == 0
    opened = await owner.get("/reports/inventory-valuation", as_of=after_opening)
    assert opened["totals"]["quantity"] > 1000
    period = {"from": after_opening, "to": (now + timedelta(days=1)).date().isoformat()}
    for name in ("sales", "turnover", "movements"):
        await rows(owner, name, **period)
    totals = (await owner.get("/reports/profit", **period))["totals"]
    assert Decimal(totals["gross_profit"]) > Decimal(totals["net_profit"]) > 0
    assert all(Decimal(row["profit"]) >= 0 for row in await rows(owner, "sales", group_by="product", **period))
    assert [row["sku"] for row in await rows(owner, "dead-stock", days=30)] == ["LIG-004"]
    assert any(row["days_31_60"] for row in await rows(owner, "stock-aging"))
    for days in range(0, 36, 5):
        as_of = (now - timedelta(days=days)).date().isoformat()
        assert all(row["quantity"] >= 0 for row in await rows(owner, "inventory-valuation", as_of=as_of))
