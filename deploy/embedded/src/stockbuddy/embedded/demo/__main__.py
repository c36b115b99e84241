"""`python -m stockbuddy.embedded.demo`: creates the demo shop once, and prints its totals as the dashboard has them."""

import argparse
import asyncio
import sys
from decimal import Decimal
from typing import Any

from stockbuddy.embedded.accounts import connect
from stockbuddy.embedded.api_client import ApiClient, ApiUnavailable, LoginFailed
from stockbuddy.embedded.demo.plan import DAYS
from stockbuddy.embedded.demo.shop import DemoFailed, DemoShop, get


async def _create_shop() -> None:
    async with connect(1) as client:
        shop = await DemoShop.open(client)
        if await shop.is_complete():
            print(f"The demo shop of {shop.end:%Y-%m-%d} exists; nothing was changed.")
        else:
            await shop.create(lambda step: print(f"Creating {step} …", file=sys.stderr))
        print(_text(await get(client, "/dashboard/stats"), await _in_transit(client)))


async def _in_transit(client: ApiClient) -> int:
    return len((await get(client, "/stock-transfers", status="in_transit"))["items"])


def _text(dashboard: dict[str, Any], in_transit: int) -> str:
    days, currency = dashboard["sales_by_day"], dashboard["currency"] or ""
    revenue = sum((Decimal(day["revenue"]) for day in days), Decimal())
    today = dashboard["sales_today"]
    low, out = dashboard["low_stock_count"], dashboard["out_of_stock_count"]
    rows = {
        "products": f"{dashboard['total_products']}, {low} at or below their threshold, {out} out of stock",
        "stock": f"{dashboard['total_units']:,} units, value {_money(dashboard['inventory_value'], currency)}",
        f"sales in {DAYS} days": f"{sum(day['count'] for day in days)}, revenue {_money(revenue, currency)}",
        "sales today": f"{today['count']}, revenue {_money(today['revenue'], currency)}",
        "open purchase orders": dashboard["open_purchase_orders"],
        "transfers in transit": in_transit,
    }
    width = max(map(len, rows))
    return "\n".join(f"{name:<{width}}  {value}" for name, value in rows.items())


def _money(amount: Any, currency: str) -> str:
    return f"{Decimal(amount):,.2f} {currency}".rstrip()


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="stockbuddy demo",
        description=f"Create a demo shop with {DAYS} days of trade in a running system.",
        epilog="STOCKBUDDY_URL, STOCKBUDDY_USERNAME and STOCKBUDDY_PASSWORD name the system and the account.",
    )
    parser.parse_args()
    try:
        asyncio.run(_create_shop())
    except (ApiUnavailable, LoginFailed, DemoFailed) as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nInterrupted. Run it again to continue; nothing is created twice.", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
