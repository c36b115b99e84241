"""The calls of a replay, in order: products, opening stock, each invoice as one sale, each cancellation as returns.

Every call's idempotency key follows from the file's content, so that a run that was interrupted is simply run again.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from decimal import Decimal
from itertools import groupby
from typing import Any

from tenacity import AsyncRetrying, retry_if_result, stop_after_delay, wait_fixed

from stockbuddy.contracts.numbers import quantity_number
from stockbuddy.embedded.client import Answer, Client
from stockbuddy.embedded.replay.cancellations import ReturnedLine, match_cancellations
from stockbuddy.embedded.replay.history import History, Invoice, Line
from stockbuddy.embedded.replay.report import Outcome
from stockbuddy.embedded.replay.shop import Product, products_of

CONNECTIONS = 8
OPENING_BATCH = 500
HEARING_SECONDS = 120
HEARING_PAUSE_SECONDS = 0.5
WAREHOUSE = "MAIN"
Progress = Callable[[str, int], None]
"""Told the name of a step and how many more of its units are done."""


class ReplayFailed(Exception):
    """The system refused something that the replay can't do without."""


class Replay:
    """`name` keeps this history's keys apart from another's in the same system."""

    def __init__(self, client: Client, history: History, *, name: str, progress: Progress) -> None:
        self._client = client
        self._name = name
        self._progress = progress
        self._returns = match_cancellations(history)
        self._sales: dict[str, dict[str, Any]] = {}
        self.products = products_of(history, self._returns)
        self.outcome = Outcome(history)

    async def run(self) -> Outcome:
        started = time.perf_counter()
        await self._each("products", self.products, self._create_product)
        await self._each("opening stock", _chunks(self._stocked(), OPENING_BATCH), self._open_stock)
        for invoice in self.outcome.history.invoices:
            await (self._cancel if invoice.is_cancellation else self._sell)(invoice)
            self._progress("invoices", 1)
        self.outcome.seconds = time.perf_counter() - started
        opened = sum((product.opening for product in self.products), Decimal())
        self.outcome.ledger_units = opened - await self._units_in_stock()
        return self.outcome

    async def _each(self, step: str, items: Sequence[Any], call: Callable[[Any], Awaitable[None]]) -> None:
        """Calls that may overtake each other, a few at a time."""
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
            raise failures.exceptions[0] from None  # The others failed at the same time, for the same reason.

    async def _post(self, path: str, body: dict[str, Any], key: str) -> Answer:
        answer = await self._client.post(path, body, key=f"replay:{self._name}:{key}")
        self.outcome.replayed_calls += answer.replayed
        return answer

    async def _post_once_known(self, path: str, body: dict[str, Any], key: str) -> Answer:
        """Again until the stock knows the products: it hears of them by events, which may take a while."""
        retrying = AsyncRetrying(
            retry=retry_if_result(lambda answer: answer.code == "unknown_product"),
            wait=wait_fixed(HEARING_PAUSE_SECONDS),
            stop=stop_after_delay(HEARING_SECONDS),
            retry_error_callback=lambda state: state.outcome.result() if state.outcome else None,
        )
        answer: Answer = await retrying(self._post, path, body, key)
        return answer

    async def _create_product(self, product: Product) -> None:
        body = {"name": product.name, "sku": product.sku, "unit_price": str(product.unit_price)}
        answer = await self._post("/products", body, f"product:{product.sku}")
        if not answer.accepted and answer.status != 409:
            raise ReplayFailed(f"product {product.sku} was refused: {answer.body}")

    def _stocked(self) -> list[Product]:
        return [product for product in self.products if product.opening]

    async def _open_stock(self, products: Sequence[Product]) -> None:
        movements = [
            {
                "sku": product.sku,
                "warehouse_code": WAREHOUSE,
                "movement_type": "in",
                "quantity": quantity_number(product.opening),
                "reference_number": "opening stock",
            }
            for product in products
        ]
        body = {"movements": movements, "on_error": "abort"}
        answer = await self._post_once_known("/stock-movements/batch", body, f"opening:{products[0].sku}")
        if not answer.accepted:
            raise ReplayFailed(f"the opening stock was refused: {answer.body}")

    async def _sell(self, invoice: Invoice) -> None:
        body = {
            "reference": invoice.number,
            "occurred_at": invoice.lines[0].occurred_at.isoformat(),
            "lines": [
                {"sku": line.sku, "quantity": quantity_number(line.quantity), "unit_price": str(line.unit_price)}
                for line in invoice.lines
            ],
        }
        answer = await self._post("/sales", body, f"sale:{invoice.number}")
        if not answer.accepted:
            self.outcome.refuse([line.number for line in invoice.lines], f"refused by the API: {answer.code}")
            return
        self._sales[invoice.number] = answer.body
        self.outcome.posted += len(invoice.lines)
        self.outcome.file.add(_units(invoice.lines), _revenue(invoice.lines))
        sold = sum((Decimal(str(line["quantity"])) for line in answer.body["lines"]), Decimal())
        self.outcome.answers.add(sold, Decimal(answer.body["total"]))

    async def _cancel(self, invoice: Invoice) -> None:
        """A cancellation may undo parts of several sales: one return for each, all dated as the cancellation is."""
        parts = sorted(self._returns[invoice.number], key=lambda part: part.sale.number)
        refused: dict[int, str] = {}
        for _, group in groupby(parts, key=lambda part: part.sale.number):
            refused |= await self._return(invoice, list(group))
        for number, reason in refused.items():
            self.outcome.refuse([number], reason)
        self.outcome.posted += sum(line.number not in refused for line in invoice.lines)

    async def _return(self, invoice: Invoice, parts: Sequence[ReturnedLine]) -> dict[int, str]:
        """Return some lines of one sale; the reason for each line of the file that was refused."""
        sale = self._sales.get(parts[0].sale.number)
        if sale is None:
            return {part.line.number: "the sale that it cancels was refused" for part in parts}
        body = {
            "reason": f"cancellation {invoice.number}",
            "occurred_at": parts[0].line.occurred_at.isoformat(),
            "restock": True,
            "lines": [
                {"line_id": sale["lines"][part.position]["id"], "quantity": quantity_number(part.quantity)}
                for part in parts
            ],
        }
        answer = await self._post(f"/sales/{sale['id']}/returns", body, f"return:{invoice.number}:{sale['number']}")
        if not answer.accepted:
            return {part.line.number: f"refused by the API: {answer.code}" for part in parts}
        self.outcome.file.add(
            -sum((part.quantity for part in parts), Decimal()),
            -sum((part.quantity * part.sale.lines[part.position].unit_price for part in parts), Decimal()),
        )
        returned = sum((Decimal(str(line["quantity"])) for line in answer.body["lines"]), Decimal())
        self.outcome.answers.add(-returned, -Decimal(answer.body["total"]))
        return {}

    async def _units_in_stock(self) -> Decimal:
        """Of this history's products, as the ledger's levels say."""
        skus = {product.sku for product in self.products}
        units, cursor = Decimal(), None
        while True:
            query = {"page_size": 100} | ({"cursor": cursor} if cursor else {})
            answer = await self._client.get("/stock-levels", **query)
            if not answer.accepted:
                raise ReplayFailed(f"the levels were refused: {answer.body}")
            page = answer.body
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
