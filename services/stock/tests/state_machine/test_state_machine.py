"""Random sequences of documents, one after another and concurrently, compared with a reference model: each is accepted
exactly when the model accepts it, has exactly its effect and its events, and the integrity report stays empty."""

from __future__ import annotations

import functools
import time
from collections import Counter
from decimal import Decimal
from typing import TYPE_CHECKING, Any, ClassVar

import anyio
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from services.stock.tests.state_machine.reference_model import (
    ZERO,
    Change,
    Count,
    Order,
    ReferenceModel,
    Reservation,
    Sale,
    Transfer,
)
from services.stock.tests.state_machine.replicas import SUPPLIER, Replicas, running_replicas

if TYPE_CHECKING:
    from collections.abc import Callable

    from httpx2 import Response

    from stockbuddy.chassis.testing.tokens import TestIssuer

SEQUENCES = settings().max_examples // 8
"""Each has up to forty steps."""
DEADLINE_SECONDS = 120

crumbs = st.integers(1, 20_000).map(lambda thousandths: Decimal(thousandths) / 1000)
quantities = crumbs | st.integers(1, 30).map(Decimal)
picks = st.integers(0, 10**6)
ends = st.booleans()


def needs(find: Callable[[StockMachine], Any]) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Let a rule do nothing while there is no document for it.

    `precondition` does not serve: Hypothesis repeats sequences, and rules must then be chosen alike, whereas which
    documents exist after concurrent requests varies.
    """

    def decorate(run: Callable[..., None]) -> Callable[..., None]:
        @functools.wraps(run)
        def run_if_found(self: StockMachine, **arguments: Any) -> None:
            if find(self):
                run(self, **arguments)

        return run_if_found

    return decorate


class StockMachine(RuleBasedStateMachine):
    """`picks` select from the existing products, warehouses and documents."""

    replicas: ClassVar[Replicas]

    @initialize()
    def open_shop(self) -> None:
        self.model = ReferenceModel()
        self.products = [self.replicas.product() for _ in range(2)]
        self.warehouses = [self.replicas.warehouse() for _ in range(2)]
        self.replicas.settle()
        self.events_before = self.replicas.document_events()
        self.keys = 0
        self.last: tuple[str, str, Any, str, Response] | None = None

    # Helpers of the rules.

    def pick(self, number: int, things: Any) -> Any:
        things = list(things)
        return things[number % len(things)]

    def place(self, number: int) -> tuple[int, int]:
        product: int = self.pick(number, self.products)
        warehouse: int = self.pick(number // 2, self.warehouses)
        return product, warehouse

    def post(self, path: str, body: Any = None, method: str = "POST") -> Response:
        self.keys += 1
        key = f"{self.products[0]}/{self.keys}"
        response = self.replicas.call(method, path, body, key if method == "POST" else None)
        if method == "POST" and response.status_code < 300:
            self.last = (method, path, body, key, response)
        return response

    def expect(self, response: Response, is_accepted: bool, status: int = 201) -> dict[str, Any]:
        assert response.status_code == (status if is_accepted else 409), response.text
        body: dict[str, Any] = response.json()
        return body

    def lines(self, products: list[int], numbers: list[Decimal]) -> list[dict[str, Any]]:
        return [
            {"product_id": product, "quantity": float(number)}
            for product, number in zip(products, numbers, strict=True)
        ]

    # Single movements.

    @rule(
        number=picks,
        quantity=quantities,
        kind=st.sampled_from(["purchase", "in", "sale", "damaged", "adjustment"]),
        cost=st.none() | st.integers(0, 90_000).map(lambda parts: str(Decimal(parts).scaleb(-4))),
    )
    def move(self, number: int, quantity: Decimal, kind: str, cost: str | None) -> None:
        place = self.place(number)
        signed = quantity if kind in ("purchase", "in") or (kind == "adjustment" and number % 3) else -quantity
        body = {
            "product_id": place[0],
            "warehouse_id": place[1],
            "movement_type": kind,
            "quantity": float(signed if kind == "adjustment" else quantity),
            "unit_cost": cost,
        }
        is_accepted = self.model.try_to((place, signed, ZERO), is_correction=kind == "adjustment")
        posted = self.expect(self.post("/stock-movements", body), is_accepted)
        if "id" in posted:
            assert posted["balance"] == float(self.model.level(place).on_hand)
            self.model.reversible[posted["id"]] = (place, signed, len(self.model.goods) - 1)

    @rule(number=picks)
    @needs(lambda self: self.model.reversible)
    def reverse(self, number: int) -> None:
        movement = self.pick(number, self.model.reversible)
        place, signed, index = self.model.reversible[movement]
        is_first = movement not in self.model.reversed
        is_accepted = is_first and self.model.try_to((place, -signed, ZERO), is_correction=True)
        self.expect(self.post(f"/stock-movements/{movement}/reverse"), is_accepted)
        if is_accepted:
            self.model.reversed.add(movement)
            self.model.goods[index] = (place, ZERO)

    @rule(number=picks, takes=st.lists(quantities, min_size=1, max_size=5))
    def post_batch_one_by_one(self, number: int, takes: list[Decimal]) -> None:
        place = self.place(number)
        movements = [
            {"product_id": place[0], "warehouse_id": place[1], "movement_type": "out", "quantity": float(quantity)}
            for quantity in takes
        ]
        response = self.post("/stock-movements/batch", {"movements": movements, "on_error": "continue"})
        results = [result["status"] == "posted" for result in response.json()["results"]]
        assert results == [self.model.try_to((place, -quantity, ZERO)) for quantity in takes]
        if not any(results):
            self.last = None  # Nothing was accepted, so no key was stored.

    @rule(number=picks, quantity=quantities, is_stale=ends)
    def set_level(self, number: int, quantity: Decimal, is_stale: bool) -> None:
        place = self.place(number)
        level = self.model.level(place)
        body = {
            "product_id": place[0],
            "warehouse_id": place[1],
            "quantity": float(quantity),
            "expected_quantity": float(level.on_hand + is_stale),
        }
        is_accepted = not is_stale and self.model.try_to((place, quantity - level.on_hand, ZERO), is_correction=True)
        self.expect(self.post("/stock-levels", body, method="PUT"), is_accepted, 200)

    @rule(number=picks)
    def change_policy(self, number: int) -> None:
        warehouse = self.pick(number, self.warehouses)
        allows = warehouse not in self.model.negative
        self.replicas.call("PATCH", f"/warehouses/{warehouse}", {"negative_stock": "allow" if allows else "reject"})
        self.model.negative ^= {warehouse}

    # Sales.

    @rule(number=picks, amounts=st.lists(quantities, min_size=1, max_size=3))
    def sell(self, number: int, amounts: list[Decimal]) -> None:
        _, warehouse = self.place(number)
        products = [self.pick(number + n // 2, self.products) for n in range(len(amounts))]
        body = {"warehouse_id": warehouse, "lines": self.lines(products, amounts)}
        changes: list[Change] = [
            ((product, warehouse), -quantity, ZERO) for product, quantity in zip(products, amounts, strict=True)
        ]
        sold = self.expect(self.post("/sales", body), self.model.try_to(*changes, event="stock.sale.completed"))
        if "id" in sold:
            self.model.sales[sold["id"]] = Sale(warehouse, list(zip(products, amounts, strict=True)))

    @rule(number=picks, quantity=quantities, restock=ends)
    @needs(lambda self: self.model.sales)
    def return_some(self, number: int, quantity: Decimal, restock: bool) -> None:
        sale_id = self.pick(number, self.model.sales)
        sale = self.model.sales[sale_id]
        product = sale.lines[number % len(sale.lines)][0]
        body = {"lines": [{"product_id": product, "quantity": float(quantity)}], "restock": restock}
        is_accepted = not sale.is_voided and quantity <= sale.left(product)
        made = self.expect(self.post(f"/sales/{sale_id}/returns", body), is_accepted)
        if is_accepted:
            sale.returned[product] = sale.returned.get(product, ZERO) + quantity
            parts = [Decimal(str(line["quantity"])) for line in made["lines"]] if restock else []
            self.model.make(*(((product, sale.warehouse), part, ZERO) for part in parts))
            self.model.events["stock.sale.returned"] += 1

    @rule(number=picks)
    @needs(lambda self: self.model.sales)
    def void(self, number: int) -> None:
        sale_id = self.pick(number, self.model.sales)
        sale = self.model.sales[sale_id]
        is_accepted = not sale.is_voided and not sale.returned
        self.expect(self.post(f"/sales/{sale_id}/void"), is_accepted, 200)
        if is_accepted:
            sale.is_voided = True
            self.model.make(*(((product, sale.warehouse), quantity, ZERO) for product, quantity in sale.lines))
            self.model.events["stock.sale.voided"] += 1

    # Reservations.

    @rule(number=picks, amounts=st.lists(quantities, min_size=1, max_size=2))
    def reserve(self, number: int, amounts: list[Decimal]) -> None:
        _, warehouse = self.place(number)
        products = [self.pick(number + n, self.products) for n in range(len(amounts))]
        lines = [line | {"warehouse_id": warehouse} for line in self.lines(products, amounts)]
        changes: list[Change] = [
            ((product, warehouse), ZERO, quantity) for product, quantity in zip(products, amounts, strict=True)
        ]
        is_accepted = self.model.try_to(*changes, event="stock.reservation.created")
        held = self.expect(self.post("/reservations", {"lines": lines}), is_accepted)
        if is_accepted:
            self.model.reservations[held["id"]] = Reservation(warehouse, list(zip(products, amounts, strict=True)))

    @rule(number=picks, ending=st.sampled_from(["release", "extend", "out", "sale", "expire"]))
    @needs(lambda self: self.model.reservations)
    def end_hold(self, number: int, ending: str) -> None:
        reservation_id = self.pick(number, self.model.reservations)
        reservation = self.model.reservations[reservation_id]
        free: list[Change] = [
            ((product, reservation.warehouse), ZERO, -quantity) for product, quantity in reservation.lines
        ]
        take: list[Change] = [
            ((product, reservation.warehouse), -quantity, ZERO) for product, quantity in reservation.lines
        ]
        both: list[Change] = [
            ((product, reservation.warehouse), -quantity, -quantity) for product, quantity in reservation.lines
        ]
        is_held = reservation.status == "held"
        if ending == "expire":
            if is_held:
                statement = "UPDATE reservation SET expires_at = clock_timestamp() WHERE id = $1"
                self.replicas.execute(statement, reservation_id)
                self.model.make(*free)
                reservation.status = "expired"
                self.model.events["stock.reservation.expired"] += 1
            return
        if ending == "extend":
            self.expect(self.post(f"/reservations/{reservation_id}/extend"), is_held, 200)
            self.model.events["stock.reservation.extended"] += is_held
            return
        if ending == "release":
            is_accepted = is_held and self.model.try_to(*free, event="stock.reservation.released")
            self.expect(self.post(f"/reservations/{reservation_id}/release"), is_accepted, 200)
        else:
            changes = both if ending == "out" else free + take
            is_accepted = is_held and self.model.try_to(*changes, event="stock.reservation.committed")
            committed = self.expect(
                self.post(f"/reservations/{reservation_id}/commit", {"as": ending}), is_accepted, 200
            )
            if is_accepted and ending == "sale":
                self.model.sales[committed["sale_id"]] = Sale(reservation.warehouse, reservation.lines)
                self.model.events["stock.sale.completed"] += 1
        if is_accepted:
            reservation.status = "ended"

    # Transfers.

    @rule(number=picks, quantity=quantities)
    def start_transfer(self, number: int, quantity: Decimal) -> None:
        product, source = self.place(number)
        destination = next(warehouse for warehouse in self.warehouses if warehouse != source)
        body = {
            "product_id": product,
            "from_warehouse_id": source,
            "to_warehouse_id": destination,
            "quantity": float(quantity),
        }
        is_accepted = self.model.try_to(((product, source), ZERO, quantity), event="stock.transfer.created")
        made = self.expect(self.post("/stock-transfers", body), is_accepted)
        if is_accepted:
            self.model.transfers[made["id"]] = Transfer(source, destination, product, quantity)

    @rule(number=picks, step=st.sampled_from(["ship", "receive", "complete", "cancel"]), quantity=quantities, lose=ends)
    @needs(lambda self: self.model.transfers)
    def go_on_with_transfer(self, number: int, step: str, quantity: Decimal, lose: bool) -> None:
        transfer_id = self.pick(number, self.model.transfers)
        transfer = self.model.transfers[transfer_id]
        bodies = {
            "receive": {
                "lines": [{"product_id": transfer.product, "received": float(quantity), "damaged": 0.5 if lose else 0}]
            },
            "cancel": {"disposition": "write_off" if lose else "return"},
        }
        response = self.post(f"/stock-transfers/{transfer_id}/{step}", bodies.get(step))
        is_accepted = getattr(self, f"plain_{step}")(transfer, quantity, Decimal("0.5") if lose else ZERO)
        after = self.expect(response, is_accepted, 200)
        if is_accepted:
            line = after["lines"][0]
            assert (after["status"], line["in_transit"]) == (transfer.status, float(transfer.in_transit))

    def plain_ship(self, transfer: Transfer, *_: Decimal) -> bool:
        source = (transfer.product, transfer.source)
        change: Change = (source, -transfer.quantity, -transfer.quantity)
        if transfer.status != "pending" or not self.model.try_to(change, event="stock.transfer.shipped"):
            return False
        transfer.status, transfer.shipped = "in_transit", transfer.quantity
        return True

    def plain_receive(self, transfer: Transfer, received: Decimal, damaged: Decimal) -> bool:
        if transfer.status != "in_transit" or received + damaged > transfer.in_transit:
            return False
        destination = (transfer.product, transfer.destination)
        self.model.make((destination, received + damaged, ZERO), (destination, -damaged, ZERO))
        transfer.received += received
        transfer.lost += damaged
        if transfer.in_transit == 0:
            transfer.status = "completed"
        self.model.events["stock.transfer.received"] += 1
        return True

    def plain_complete(self, transfer: Transfer, *_: Decimal) -> bool:
        if transfer.status == "pending" and not self.plain_ship(transfer):
            return False
        return self.plain_receive(transfer, transfer.in_transit, ZERO)

    def plain_cancel(self, transfer: Transfer, _: Decimal, lost: Decimal) -> bool:
        source = (transfer.product, transfer.source)
        if transfer.status == "pending":
            self.model.make((source, ZERO, -transfer.quantity))
        elif transfer.status == "in_transit":
            rest = transfer.in_transit
            self.model.make((source, rest, ZERO), *([(source, -rest, ZERO)] if lost else []))
            transfer.lost, transfer.returned = (transfer.lost + rest * bool(lost), rest * (not lost))
        else:
            return False
        transfer.status = "cancelled"
        self.model.events["stock.transfer.cancelled"] += 1
        return True

    # Counts and purchase orders.

    @rule(number=picks)
    def open_count(self, number: int) -> None:
        _, warehouse = self.place(number)
        body = {"warehouse_id": warehouse, "product_ids": self.products}
        opened = self.expect(self.post("/stock-counts", body), is_accepted=True)
        self.model.counts[opened["id"]] = Count(warehouse)
        self.model.events["stock.count.opened"] += 1

    @rule(number=picks, quantity=quantities)
    @needs(lambda self: self.model.counts)
    def enter_counted(self, number: int, quantity: Decimal) -> None:
        count_id = self.pick(number, self.model.counts)
        count = self.model.counts[count_id]
        product = self.pick(number, self.products)
        body = {"lines": [{"product_id": product, "counted": float(quantity)}]}
        is_accepted = count.status == "open"
        self.expect(self.post(f"/stock-counts/{count_id}/lines", body), is_accepted, 200)
        if is_accepted:
            count.counted[product] = (quantity, len(self.model.goods))
            self.model.events["stock.count.entered"] += 1

    @rule(number=picks)
    @needs(lambda self: self.model.counts)
    def approve_count(self, number: int) -> None:
        count_id = self.pick(number, self.model.counts)
        count = self.model.counts[count_id]
        changes: list[Change] = []
        for product, (counted, number_before) in count.counted.items():
            place = (product, count.warehouse)
            moved = self.model.moved_since(place, number_before)
            changes.append((place, counted + moved - self.model.level(place).on_hand, ZERO))
        is_accepted = count.status == "open" and self.model.try_to(
            *changes, event="stock.count.approved", is_correction=True
        )
        self.expect(self.post(f"/stock-counts/{count_id}/approve"), is_accepted, 200)
        if is_accepted:
            count.status = "approved"

    @rule(number=picks, quantity=quantities)
    def order(self, number: int, quantity: Decimal) -> None:
        product, warehouse = self.place(number)
        lines = [{"product_id": product, "quantity": float(quantity), "unit_cost": "2"}]
        body = {"supplier_id": SUPPLIER, "warehouse_id": warehouse, "lines": lines}
        drafted = self.expect(self.post("/purchase-orders", body), is_accepted=True)
        self.expect(self.post(f"/purchase-orders/{drafted['id']}/order"), is_accepted=True, status=200)
        self.model.orders[drafted["id"]] = Order(warehouse, product, quantity, status="ordered")
        self.model.events.update(["stock.purchase.drafted", "stock.purchase.ordered"])

    @rule(number=picks, quantity=quantities, is_over=ends)
    @needs(lambda self: self.model.orders)
    def receive_order(self, number: int, quantity: Decimal, is_over: bool) -> None:
        order_id = self.pick(number, self.model.orders)
        order = self.model.orders[order_id]
        line = {"product_id": order.product, "quantity": float(quantity)}
        body = {"lines": [line], "allow_over_receipt": is_over}
        is_accepted = is_over or (order.status != "received" and quantity <= order.quantity - order.received)
        self.expect(self.post(f"/purchase-orders/{order_id}/receive", body), is_accepted, 200)
        if is_accepted:
            order.received += quantity
            order.status = "received" if order.received >= order.quantity else "partially_received"
            self.model.make(((order.product, order.warehouse), quantity, ZERO))
            self.model.events["stock.purchase.received"] += 1

    # Concurrent requests, and repeated ones.

    @rule(number=picks, takes=st.integers(2, 12), receipts=st.integers(0, 3))
    def post_concurrently(self, number: int, takes: int, receipts: int) -> None:
        """Concurrent sales, reservations and receipts of single units of one product, to both replicas."""
        place = self.place(number)
        one = {"product_id": place[0], "quantity": 1}
        sale = ("POST", "/sales", {"warehouse_id": place[1], "lines": [one]})
        reservation = ("POST", "/reservations", {"lines": [one | {"warehouse_id": place[1]}]})
        receipt = ("POST", "/stock-movements", {**one, "warehouse_id": place[1], "movement_type": "in"})
        requests = [*[sale if (number + n) % 3 else reservation for n in range(takes)], *[receipt] * receipts]
        before = self.model.available(place)
        served = [
            (request, response)
            for request, response in zip(requests, self.replicas.send_together(requests), strict=True)
            if response.status_code == 201 or response.json()["code"] != "insufficient_stock"
        ]
        for request, response in served:
            body = self.expect(response, is_accepted=True)
            if request is receipt:
                self.model.make((place, Decimal(1), ZERO))
            elif request is sale:
                self.model.make((place, Decimal(-1), ZERO))
                self.model.sales[body["id"]] = Sale(place[1], [(place[0], Decimal(1))])
                self.model.events["stock.sale.completed"] += 1
            else:
                self.model.make((place, ZERO, Decimal(1)))
                self.model.reservations[body["id"]] = Reservation(place[1], [(place[0], Decimal(1))])
                self.model.events["stock.reservation.created"] += 1
        taken = sum(request is not receipt for request, _ in served)
        if place[1] in self.model.negative:
            assert taken == takes
        else:
            # Requests before the receipts may be refused; none may be accepted beyond the stock.
            in_stock = max(int(before // 1), 0)
            assert min(in_stock, takes) <= taken
            assert taken <= max(before + receipts, ZERO)

    @rule()
    @needs(lambda self: self.last)
    def repeat_last_request(self) -> None:
        assert self.last is not None
        method, path, body, key, first = self.last
        again = self.replicas.call(method, path, body, key)
        assert (again.status_code, again.content) == (first.status_code, first.content)
        assert again.headers["Idempotent-Replayed"] == "true"

    # Invariants.

    @invariant()
    def levels_match_the_model(self) -> None:
        found = {}
        for product in self.products:
            response = self.replicas.call("GET", f"/stock-levels?product_id={product}").json()
            for level in response["items"]:
                numbers = (level["on_hand"], level["reserved"], level["available"], level["incoming"])
                found[product, level["warehouse_id"]] = numbers
        for place, level in self.model.levels.items():
            assert level.reserved == self.model.reserved(place)
            expected = (level.on_hand, level.reserved, level.on_hand - level.reserved, self.model.incoming(place))
            assert found.get(place, (0, 0, 0, 0)) == tuple(map(float, expected))

    @invariant()
    def ledger_is_consistent(self) -> None:
        """Quantities and values: per level, in transit, and by FIFO."""
        report = self.replicas.call("GET", "/stock/integrity?values=fifo").json()
        assert report == {"ok": True, "differences": [], "value_differences": []}

    def teardown(self) -> None:
        if not hasattr(self, "model"):
            return
        self.wait_for_expiries()
        self.replicas.settle()
        ids = [event_id for _, event_id in self.replicas.published()]
        assert len(ids) == len(set(ids)), "an event was published twice"
        assert self.replicas.document_events() - self.events_before == +self.model.events
        events = self.replicas.ledger_events(set(self.products))
        assert sum(event["quantity"] != 0 for event in events["stock.movement.posted"]) == self.model.movements
        moved: Counter[tuple[int, int]] = Counter()
        for event in events["stock.level.changed"]:
            moved[event["product_id"], event["warehouse_id"]] += Decimal(str(event["delta"]))  # type: ignore[assignment]
        for place, level in self.model.levels.items():
            assert moved[place] == level.on_hand

    def wait_for_expiries(self) -> None:
        """Expired reservations are released when their stock is needed, or within a second by the sweep."""
        wanted = self.model.events["stock.reservation.expired"]
        deadline = time.monotonic() + DEADLINE_SECONDS
        while (self.replicas.document_events() - self.events_before)["stock.reservation.expired"] < wanted:
            assert time.monotonic() < deadline
            time.sleep(0.01)


@pytest.mark.hypothesis
@pytest.mark.timeout(3600)
async def test_random_document_sequences_match_the_reference_model(database_url: str, issuer: TestIssuer) -> None:
    await anyio.to_thread.run_sync(_explore, database_url, issuer)


def _explore(database_url: str, issuer: TestIssuer) -> None:
    with running_replicas(database_url, issuer) as replicas:
        machine = type("Machine", (StockMachine,), {"replicas": replicas})
        run_state_machine_as_test(
            machine,
            settings=settings(
                max_examples=SEQUENCES,
                stateful_step_count=40,
                suppress_health_check=list(HealthCheck),
            ),
        )
