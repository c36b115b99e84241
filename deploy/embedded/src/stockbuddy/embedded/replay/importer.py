"""Imports a history, in order: products, opening stock, each invoice as a sale, each cancellation as returns.

Every idempotency key follows from the file's content, so that an interrupted import can be run again.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from decimal import Decimal
from itertools import groupby
from typing import Any

from stockbuddy.contracts.numbers import quantity_number
from stockbuddy.embedded.api_client import ApiClient, ApiResponse
from stockbuddy.embedded.replay.cancellations import ReturnedLine, match_cancellations
from stockbuddy.embedded.replay.history import History, Invoice, Line
from stockbuddy.embedded.replay.products import Product, plan_products
from stockbuddy.embedded.replay.report import ReplayReport

CONNECTIONS = 8
BATCH_SIZE = 500
WAREHOUSE = "MAIN"
Progress = Callable[[str, int], None]
"""Called with the name of a step and the number of completed units."""


class ImportFailed(Exception):
    """The API rejected a request that the import depends on."""


class HistoryImporter:
    """`name` is part of every idempotency key, so that several histories can be imported into one system."""

    def __init__(self, client: ApiClient, history: History, *, name: str, progress: Progress) -> None:
        self._client = client
        self._name = name
        self._progress = progress
        self._returns = match_cancellations(history)
        self._sales: dict[str, dict[str, Any]] = {}
        self.products = plan_products(history, self._returns)
        self.report = ReplayReport(history)

    async def run(self) -> ReplayReport:
        started_at = time.perf_counter()
        await self._run_concurrently("products", self.products, self._create_product)
        await self._run_concurrently(
            "opening stock", _chunks(self._stocked_products(), BATCH_SIZE), self._post_opening_stock
        )
        for invoice in self.report.history.invoices:
            await (self._post_cancellation if invoice.is_cancellation else self._post_sale)(invoice)
            self._progress("invoices", 1)
        self.report.seconds = time.perf_counter() - started_at
        opening_stock = sum((product.opening_stock for product in self.products), Decimal())
        self.report.ledger_units = opening_stock - await self._units_in_stock()
        return self.report

    async def _run_concurrently(self, step: str, items: Sequence[Any], call: Callable[[Any], Awaitable[None]]) -> None:
        """Call `call` for each item, CONNECTIONS at a time; the order does not matter."""
        waiting = iter(items)

        async def work() -> None:
            for item in waiting:
                await call(item)
                self._progress(step, 1)

        try:
            async with asyncio.TaskGroup() as workers:
                for _ in range(CONNECTIONS):
                    workers.create_task(work())
        except ExceptionGroup as failures:
            raise failures.exceptions[0] from None  # the others failed for the same reason

    async def _post(self, path: str, body: dict[str, Any], key: str) -> ApiResponse:
        return self._counted(await self._client.post(path, body, key=self._key(key)))

    def _key(self, key: str) -> str:
        return f"replay:{self._name}:{key}"

    def _counted(self, response: ApiResponse) -> ApiResponse:
        self.report.replayed_requests += response.replayed
        return response

    async def _create_product(self, product: Product) -> None:
        body = {"name": product.name, "sku": product.sku, "unit_price": str(product.unit_price)}
        response = await self._post("/products", body, f"product:{product.sku}")
        if not response.accepted and response.status != 409:
            raise ImportFailed(f"product {product.sku} was rejected: {response.body}")

    def _stocked_products(self) -> list[Product]:
        return [product for product in self.products if product.opening_stock]

    async def _post_opening_stock(self, products: Sequence[Product]) -> None:
        movements = [
            {
                "sku": product.sku,
                "warehouse_code": WAREHOUSE,
                "movement_type": "in",
                "quantity": quantity_number(product.opening_stock),
                "reference_number": "opening stock",
            }
            for product in products
        ]
        body = {"movements": movements, "on_error": "abort"}
        key = self._key(f"opening:{products[0].sku}")
        response = self._counted(await self._client.post_replicated("/stock-movements/batch", body, key=key))
        if not response.accepted:
            raise ImportFailed(f"the opening stock was rejected: {response.body}")

    async def _post_sale(self, invoice: Invoice) -> None:
        body = {
            "reference": invoice.number,
            "occurred_at": invoice.lines[0].occurred_at.isoformat(),
            "lines": [
                {"sku": line.sku, "quantity": quantity_number(line.quantity), "unit_price": str(line.unit_price)}
                for line in invoice.lines
            ],
        }
        response = await self._post("/sales", body, f"sale:{invoice.number}")
        if not response.accepted:
            self.report.reject([line.number for line in invoice.lines], f"rejected by the API: {response.code}")
            return
        self._sales[invoice.number] = response.body
        self.report.posted += len(invoice.lines)
        self.report.file.add(_units(invoice.lines), _revenue(invoice.lines))
        sold = sum((Decimal(str(line["quantity"])) for line in response.body["lines"]), Decimal())
        self.report.responses.add(sold, Decimal(response.body["total"]))

    async def _post_cancellation(self, invoice: Invoice) -> None:
        """One return for each sale that the cancellation refers to, with the date of the cancellation."""
        parts = sorted(self._returns[invoice.number], key=lambda part: part.sale.number)
        rejected: dict[int, str] = {}
        for _, group in groupby(parts, key=lambda part: part.sale.number):
            rejected |= await self._return(invoice, list(group))
        for number, reason in rejected.items():
            self.report.reject([number], reason)
        self.report.posted += sum(line.number not in rejected for line in invoice.lines)

    async def _return(self, invoice: Invoice, parts: Sequence[ReturnedLine]) -> dict[int, str]:
        """Return lines of one sale. Returns the reasons of rejected lines by line number."""
        sale = self._sales.get(parts[0].sale.number)
        if sale is None:
            return {part.line.number: "the sale that it cancels was rejected" for part in parts}
        body = {
            "reason": f"cancellation {invoice.number}",
            "occurred_at": parts[0].line.occurred_at.isoformat(),
            "restock": True,
            "lines": [
                {"line_id": sale["lines"][part.position]["id"], "quantity": quantity_number(part.quantity)}
                for part in parts
            ],
        }
        response = await self._post(f"/sales/{sale['id']}/returns", body, f"return:{invoice.number}:{sale['number']}")
        if not response.accepted:
            return {part.line.number: f"rejected by the API: {response.code}" for part in parts}
        self.report.file.add(
            -sum((part.quantity for part in parts), Decimal()),
            -sum((part.quantity * part.sale.lines[part.position].unit_price for part in parts), Decimal()),
        )
        returned = sum((Decimal(str(line["quantity"])) for line in response.body["lines"]), Decimal())
        self.report.responses.add(-returned, -Decimal(response.body["total"]))
        return {}

    async def _units_in_stock(self) -> Decimal:
        """The stock levels' total over this history's products."""
        skus = {product.sku for product in self.products}
        units, cursor = Decimal(), None
        while True:
            query = {"page_size": 100} | ({"cursor": cursor} if cursor else {})
            response = await self._client.get("/stock-levels", **query)
            if not response.accepted:
                raise ImportFailed(f"the levels were rejected: {response.body}")
            page = response.body
            units += sum((Decimal(str(level["on_hand"])) for level in page["items"] if level["sku"] in skus), Decimal())
            cursor = page["next_cursor"]
            if cursor is None:
                return units


def _chunks(products: Sequence[Product], size: int) -> list[Sequence[Product]]:
    return [products[start : start + size] for start in range(0, len(products), size)]


def _revenue(lines: Iterable[Line]) -> Decimal:
    return sum((line.quantity * line.unit_price for line in lines), Decimal())


def _units(lines: Iterable[Line]) -> Decimal:
    return sum((line.quantity for line in lines), Decimal())
