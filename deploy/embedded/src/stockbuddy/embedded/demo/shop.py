"""Creates the demo shop. Every request has an idempotency key and a body that follows from the moment of the first run,
so that an interrupted run can be repeated; a complete shop is recognised by its stock count."""

from collections.abc import Awaitable, Callable, Collection, Mapping
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from stockbuddy.embedded.api_client import ApiClient
from stockbuddy.embedded.demo.assortment import (
    BRANCH,
    CUSTOMERS,
    EXPENSES,
    PRODUCTS,
    REORDER_RULES,
    STORE,
    SUPPLIERS,
    Product,
)
from stockbuddy.embedded.demo.plan import OPENING_DAYS_AGO, PlannedSale, day_before, plan_opening_stock, plan_sales

LOW_STOCK_THRESHOLD = 12
KEYS_KEPT = timedelta(days=7)
"""Idempotency keys are stored for a day longer."""
Lines = list[dict[str, Any]]
Event = tuple[datetime, Callable[[], Awaitable[None]]]


class DemoFailed(Exception):
    """The API rejected a request of the demo."""


class DemoShop:
    """Created by `open`. `end`: the moment of the first run, in the shop's time zone, just after the newest sales."""

    def __init__(self, client: ApiClient, branch_id: int, end: datetime) -> None:
        self._client = client
        self._branch_id = branch_id
        self._suppliers: dict[str, int] = {}
        self._customers: dict[str, int] = {}
        self.end = end

    @classmethod
    async def open(cls, client: ApiClient) -> "DemoShop":
        """Create the branch, whose creation is the moment of the first run, or find it."""
        body = {"code": BRANCH, "name": "Branch at the station", "kind": "store"}
        await client.post("/warehouses", body, key="demo:branch")
        found = await get(client, "/warehouses", search=BRANCH)
        branch = next(warehouse for warehouse in found["items"] if warehouse["code"] == BRANCH)
        zone = ZoneInfo((await get(client, "/dashboard/stats"))["timezone"])
        return cls(client, branch["id"], datetime.fromisoformat(branch["created_at"]).astimezone(zone))

    async def is_complete(self) -> bool:
        counts = await get(self._client, "/stock-counts", warehouse_id=self._branch_id, status="approved")
        return bool(counts["items"])

    async def create(self, progress: Callable[[str], None]) -> None:
        """`progress` is called with each step. Raises DemoFailed."""
        if datetime.now(UTC) - self.end > KEYS_KEPT:
            raise DemoFailed(f"A run was interrupted on {self.end:%Y-%m-%d}, too long ago to be continued.")
        progress("products, suppliers and customers")
        await self._create_master_data()
        progress("opening stock and a month of trade")
        await self._trade()
        progress("transfers, expenses, reorder rules and a stock count")
        await self._transfer()
        await self._spend()
        await self._count()

    async def _create_master_data(self) -> None:
        for supplier in SUPPLIERS:
            body = {
                "name": supplier.name,
                "contact_email": supplier.email,
                "lead_time_days": supplier.lead_time_days,
            }
            self._suppliers[supplier.name] = (await self._post("/suppliers", body, supplier.name))["id"]
        for product in PRODUCTS:
            await self._post("/products", self._product(product), product.sku, accepted={"duplicate_sku"})
        for name, email in CUSTOMERS:
            self._customers[name] = (await self._post("/customers", {"name": name, "email": email}, name))["id"]

    def _product(self, product: Product) -> dict[str, Any]:
        return {
            "sku": product.sku,
            "name": product.name,
            "category": product.category,
            "supplier_id": self._suppliers[product.supplier],
            "unit_price": str(product.price),
            "cost_price": str(product.cost),
            "low_stock_threshold": LOW_STOCK_THRESHOLD,
        }

    async def _trade(self) -> None:
        """Post everything in the order in which it happened, so that no level is ever negative."""
        sales: list[Event] = [
            (datetime.fromisoformat(sale.body["occurred_at"]), partial(self._sell, sale))
            for sale in plan_sales(self.end)
        ]
        others: list[Event] = [
            (day_before(self.end, OPENING_DAYS_AGO), self._stock_up),
            (day_before(self.end, 16), self._receive_first_order),
            (day_before(self.end, 9), self._write_off),
            (day_before(self.end, 4), self._receive_part_of_second_order),
            (self.end, self._place_other_orders),
        ]
        for _, happen in sorted([*others, *sales], key=lambda event: event[0]):
            await happen()

    async def _stock_up(self) -> None:
        await self._post("/stock-movements/batch", {"movements": plan_opening_stock(self.end)}, "opening-stock")

    async def _write_off(self) -> None:
        body = {"sku": "KIT-002", "warehouse_code": STORE, "movement_type": "damaged", "quantity": 1}
        body |= {"notes": "broken on the shelf", "occurred_at": day_before(self.end, 9).isoformat()}
        await self._post("/stock-movements", body, "damaged")

    async def _sell(self, planned: PlannedSale) -> None:
        customer = planned.body.get("customer")
        body = planned.body if customer is None else {**planned.body, "customer": self._customers[customer]}
        sale = await self._post("/sales", body, f"sale:{planned.number}", accepted={"insufficient_stock"})
        if planned.return_at is not None and "lines" in sale:
            returned = {
                "lines": [{"line_id": sale["lines"][0]["id"], "quantity": planned.returned}],
                "occurred_at": planned.return_at.isoformat(),
                "restock": planned.restock,
                "reason": "not needed" if planned.restock else "defective",
            }
            await self._post(f"/sales/{sale['id']}/returns", returned, f"return:{planned.number}")

    async def _receive_first_order(self) -> None:
        order = await self._order(0, [{"sku": "KIT-001", "quantity": 60}, {"sku": "KIT-003", "quantity": 24}])
        received = {"occurred_at": day_before(self.end, 16).isoformat(), "reference": "delivery note 4711"}
        await self._post(f"/purchase-orders/{order}/receive", received, "receive:1")

    async def _receive_part_of_second_order(self) -> None:
        lines = [{"sku": "PAP-001", "quantity": 80}, {"sku": "PAP-003", "quantity": 200}]
        order = await self._order(2, lines, expected_in_days=2)
        part = [{"sku": "PAP-001", "quantity": 80}, {"sku": "PAP-003", "quantity": 120}]
        received = {"lines": part, "occurred_at": day_before(self.end, 4).isoformat()}
        await self._post(f"/purchase-orders/{order}/receive", received, "receive:2")

    async def _place_other_orders(self) -> None:
        """One is on its way, one is still a draft."""
        lines = [{"sku": "GAR-004", "quantity": 40}, {"sku": "GAR-001", "quantity": 20}]
        await self._order(1, lines, expected_in_days=7)
        await self._order(0, [{"sku": "KIT-004", "quantity": 48}], draft=True)

    async def _order(self, supplier: int, lines: Lines, *, expected_in_days: int = 0, draft: bool = False) -> int:
        """Create an order of the store, and place it unless it is a `draft`. Returns its id."""
        key = f"order:{lines[0]['sku']}"
        expected_at = self.end + timedelta(days=expected_in_days) if expected_in_days else None
        body = {
            "supplier_id": self._suppliers[SUPPLIERS[supplier].name],
            "warehouse_code": STORE,
            "lines": lines,
            "expected_at": expected_at.isoformat() if expected_at else None,
        }
        order: int = (await self._post("/purchase-orders", body, key))["id"]
        if not draft:
            await self._post(f"/purchase-orders/{order}/order", {}, f"{key}:place")
        return order

    async def _transfer(self) -> None:
        """Two transfers from the store to the branch: one arrives, the other is in transit."""
        for sku, quantity in (("KIT-001", 12), ("PAP-001", 15)):
            body = {"from_warehouse_code": STORE, "to_warehouse_code": BRANCH, "sku": sku, "quantity": quantity}
            transfer = (await self._post("/stock-transfers", body, f"transfer:{sku}"))["id"]
            await self._post(f"/stock-transfers/{transfer}/ship", {}, f"ship:{sku}")
            if sku == "KIT-001":
                await self._post(f"/stock-transfers/{transfer}/receive", {}, f"arrive:{sku}")

    async def _spend(self) -> None:
        for number, (category, amount, days, warehouse) in enumerate(EXPENSES):
            body = {"category": category, "amount": amount, "incurred_on": f"{day_before(self.end, days):%Y-%m-%d}"}
            body |= {"warehouse_code": warehouse} if warehouse else {}
            await self._post("/expenses", body, f"expense:{number}")
        for sku, warehouse, parameters in REORDER_RULES:
            rule = {"sku": sku, "warehouse_code": warehouse, **parameters}
            await self._post("/reorder-rules", rule, f"rule:{sku}", accepted={"duplicate_rule"})

    async def _count(self) -> None:
        """The branch's stationery: one notebook is missing."""
        count = await self._post("/stock-counts", {"warehouse_code": BRANCH, "category": "Paper"}, "count")
        lines = [
            {"product_id": line["product_id"], "counted": line["expected"] - (line["sku"] == "PAP-001")}
            for line in count["lines"]
        ]
        await self._post(f"/stock-counts/{count['id']}/lines", {"lines": lines}, "count:lines")
        await self._post(f"/stock-counts/{count['id']}/approve", {}, "count:approve")

    async def _post(self, path: str, body: Mapping[str, Any], key: str, *, accepted: Collection[str] = ()) -> Any:
        """The response. Raises DemoFailed for any rejection but those with a code in `accepted`."""
        response = await self._client.post_replicated(path, body, key=f"demo:{key}")
        if not response.accepted and response.code not in accepted:
            raise DemoFailed(f"POST {path}: {response.body}")
        return response.body


async def get(client: ApiClient, path: str, **query: Any) -> Any:
    """Raises DemoFailed."""
    response = await client.get(path, **query)
    if not response.accepted:
        raise DemoFailed(f"GET {path}: {response.body}")
    return response.body
