"""Every document in any order, one after another and at once, against plain arithmetic: each is accepted exactly when
it should be, has exactly its effect and its events, and leaves books that prove themselves right."""

from __future__ import annotations

import os
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
    precondition,
    rule,
    run_state_machine_as_test,
)

from services.stock.tests.state_machine.plain_shop import ZERO, Change, Count, Hold, Order, PlainShop, Sale, Transfer
from services.stock.tests.state_machine.replicas import SUPPLIER, Replicas, running_replicas

if TYPE_CHECKING:
    from httpx2 import Response

    from stockbuddy.chassis.testing.tokens import TestIssuer

EXAMPLES = int(os.environ.get("STOCKBUDDY_EXAMPLES", "12"))
"""Each is a shop's life of up to forty steps."""

crumbs = st.integers(1, 20_000).map(lambda thousandths: Decimal(thousandths) / 1000)
quantities = crumbs | st.integers(1, 30).map(Decimal)
picks = st.integers(0, 10**6)
ends = st.booleans()


class StockMachine(RuleBasedStateMachine):
    """`picks` choose among what there is, whatever there is of it."""

    replicas: ClassVar[Replicas]

    @initialize()
    def open_shop(self) -> None:
        self.plain = PlainShop()
        self.products = [self.replicas.product() for _ in range(2)]
        self.warehouses = [self.replicas.warehouse() for _ in range(2)]
        self.replicas.settle()
        self.told_before = self.replicas.document_events()
        self.keys = 0
        self.last: tuple[str, str, Any, str, Response] | None = None

    # What rules are made of.

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
        answer = self.replicas.call(method, path, body, key if method == "POST" else None)
        if method == "POST" and answer.status_code < 300:
            self.last = (method, path, body, key, answer)
        return answer

    def expect(self, answer: Response, is_accepted: bool, status: int = 201) -> dict[str, Any]:
        assert answer.status_code == (status if is_accepted else 409), answer.text
        body: dict[str, Any] = answer.json()
        return body

    def lines(self, products: list[int], numbers: list[Decimal]) -> list[dict[str, Any]]:
        return [
            {"product_id": product, "quantity": float(number)}
            for product, number in zip(products, numbers, strict=True)
        ]

    # Movements by hand.

    @rule(number=picks, quantity=quantities, kind=st.sampled_from(["purchase", "in", "sale", "damaged", "adjustment"]))
    def move(self, number: int, quantity: Decimal, kind: str) -> None:
        place = self.place(number)
        signed = quantity if kind in ("purchase", "in") or (kind == "adjustment" and number % 3) else -quantity
        body = {
            "product_id": place[0],
            "warehouse_id": place[1],
            "movement_type": kind,
            "quantity": float(signed if kind == "adjustment" else quantity),
        }
        posted = self.expect(self.post("/stock-movements", body), self.plain.try_to((place, signed, ZERO)))
        if "id" in posted:
            assert posted["balance"] == float(self.plain.level(place).on_hand)
            self.plain.reversible[posted["id"]] = (place, signed)

    @precondition(lambda self: self.plain.reversible)
    @rule(number=picks)
    def reverse(self, number: int) -> None:
        movement = self.pick(number, self.plain.reversible)
        place, signed = self.plain.reversible[movement]
        is_first = movement not in self.plain.reversed
        is_accepted = is_first and self.plain.try_to((place, -signed, ZERO))
        self.expect(self.post(f"/stock-movements/{movement}/reverse"), is_accepted)
        if is_accepted:
            self.plain.reversed.add(movement)

    @rule(number=picks, takes=st.lists(quantities, min_size=1, max_size=5))
    def post_batch_one_by_one(self, number: int, takes: list[Decimal]) -> None:
        place = self.place(number)
        movements = [
            {"product_id": place[0], "warehouse_id": place[1], "movement_type": "out", "quantity": float(quantity)}
            for quantity in takes
        ]
        answer = self.post("/stock-movements/batch", {"movements": movements, "on_error": "continue"})
        results = [result["status"] == "posted" for result in answer.json()["results"]]
        assert results == [self.plain.try_to((place, -quantity, ZERO)) for quantity in takes]
        if not any(results):
            self.last = None  # Nothing was accepted, so there is nothing to be remembered.

    @rule(number=picks, quantity=quantities, is_stale=ends)
    def set_level(self, number: int, quantity: Decimal, is_stale: bool) -> None:
        place = self.place(number)
        level = self.plain.level(place)
        body = {
            "product_id": place[0],
            "warehouse_id": place[1],
            "quantity": float(quantity),
            "expected_quantity": float(level.on_hand + is_stale),
        }
        is_accepted = not is_stale and self.plain.try_to((place, quantity - level.on_hand, ZERO))
        self.expect(self.post("/stock-levels", body, method="PUT"), is_accepted, 200)

    @rule(number=picks)
    def change_policy(self, number: int) -> None:
        warehouse = self.pick(number, self.warehouses)
        allows = warehouse not in self.plain.negative
        self.replicas.call("PATCH", f"/warehouses/{warehouse}", {"negative_stock": "allow" if allows else "reject"})
        self.plain.negative ^= {warehouse}

    # Sales.

    @rule(number=picks, amounts=st.lists(quantities, min_size=1, max_size=3))
    def sell(self, number: int, amounts: list[Decimal]) -> None:
        _, warehouse = self.place(number)
        products = [self.pick(number + n // 2, self.products) for n in range(len(amounts))]
        body = {"warehouse_id": warehouse, "lines": self.lines(products, amounts)}
        changes: list[Change] = [
            ((product, warehouse), -quantity, ZERO) for product, quantity in zip(products, amounts, strict=True)
        ]
        sold = self.expect(self.post("/sales", body), self.plain.try_to(*changes, tell="stock.sale.completed"))
        if "id" in sold:
            self.plain.sales[sold["id"]] = Sale(warehouse, list(zip(products, amounts, strict=True)))

    @precondition(lambda self: self.plain.sales)
    @rule(number=picks, quantity=quantities, restock=ends)
    def return_some(self, number: int, quantity: Decimal, restock: bool) -> None:
        sale_id = self.pick(number, self.plain.sales)
        sale = self.plain.sales[sale_id]
        product = sale.lines[number % len(sale.lines)][0]
        body = {"lines": [{"product_id": product, "quantity": float(quantity)}], "restock": restock}
        is_accepted = not sale.is_voided and quantity <= sale.left(product)
        made = self.expect(self.post(f"/sales/{sale_id}/returns", body), is_accepted)
        if is_accepted:
            sale.returned[product] = sale.returned.get(product, ZERO) + quantity
            parts = [Decimal(str(line["quantity"])) for line in made["lines"]] if restock else []
            self.plain.make(*(((product, sale.warehouse), part, ZERO) for part in parts))
            self.plain.told["stock.sale.returned"] += 1

    @precondition(lambda self: self.plain.sales)
    @rule(number=picks)
    def void(self, number: int) -> None:
        sale_id = self.pick(number, self.plain.sales)
        sale = self.plain.sales[sale_id]
        is_accepted = not sale.is_voided and not sale.returned
        self.expect(self.post(f"/sales/{sale_id}/void"), is_accepted, 200)
        if is_accepted:
            sale.is_voided = True
            self.plain.make(*(((product, sale.warehouse), quantity, ZERO) for product, quantity in sale.lines))
            self.plain.told["stock.sale.voided"] += 1

    # Reservations.

    @rule(number=picks, amounts=st.lists(quantities, min_size=1, max_size=2))
    def reserve(self, number: int, amounts: list[Decimal]) -> None:
        _, warehouse = self.place(number)
        products = [self.pick(number + n, self.products) for n in range(len(amounts))]
        lines = [line | {"warehouse_id": warehouse} for line in self.lines(products, amounts)]
        changes: list[Change] = [
            ((product, warehouse), ZERO, quantity) for product, quantity in zip(products, amounts, strict=True)
        ]
        is_accepted = self.plain.try_to(*changes, tell="stock.reservation.created")
        held = self.expect(self.post("/reservations", {"lines": lines}), is_accepted)
        if is_accepted:
            self.plain.holds[held["id"]] = Hold(warehouse, list(zip(products, amounts, strict=True)))

    @precondition(lambda self: self.plain.holds)
    @rule(number=picks, ending=st.sampled_from(["release", "extend", "out", "sale", "expire"]))
    def end_hold(self, number: int, ending: str) -> None:
        hold_id = self.pick(number, self.plain.holds)
        hold = self.plain.holds[hold_id]
        free: list[Change] = [((product, hold.warehouse), ZERO, -quantity) for product, quantity in hold.lines]
        take: list[Change] = [((product, hold.warehouse), -quantity, ZERO) for product, quantity in hold.lines]
        both: list[Change] = [((product, hold.warehouse), -quantity, -quantity) for product, quantity in hold.lines]
        is_held = hold.status == "held"
        if ending == "expire":
            if is_held:
                statement = "UPDATE reservation SET expires_at = clock_timestamp() WHERE id = $1"
                self.replicas.execute(statement, hold_id)
                self.plain.make(*free)
                hold.status = "expired"
                self.plain.told["stock.reservation.expired"] += 1
            return
        if ending == "extend":
            self.expect(self.post(f"/reservations/{hold_id}/extend"), is_held, 200)
            self.plain.told["stock.reservation.extended"] += is_held
            return
        if ending == "release":
            is_accepted = is_held and self.plain.try_to(*free, tell="stock.reservation.released")
            self.expect(self.post(f"/reservations/{hold_id}/release"), is_accepted, 200)
        else:
            changes = both if ending == "out" else free + take
            is_accepted = is_held and self.plain.try_to(*changes, tell="stock.reservation.committed")
            committed = self.expect(self.post(f"/reservations/{hold_id}/commit", {"as": ending}), is_accepted, 200)
            if is_accepted and ending == "sale":
                self.plain.sales[committed["sale_id"]] = Sale(hold.warehouse, hold.lines)
                self.plain.told["stock.sale.completed"] += 1
        if is_accepted:
            hold.status = "ended"

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
        is_accepted = self.plain.try_to(((product, source), ZERO, quantity), tell="stock.transfer.created")
        made = self.expect(self.post("/stock-transfers", body), is_accepted)
        if is_accepted:
            self.plain.transfers[made["id"]] = Transfer(source, destination, product, quantity)

    @precondition(lambda self: self.plain.transfers)
    @rule(number=picks, step=st.sampled_from(["ship", "receive", "complete", "cancel"]), quantity=quantities, lose=ends)
    def go_on_with_transfer(self, number: int, step: str, quantity: Decimal, lose: bool) -> None:
        transfer_id = self.pick(number, self.plain.transfers)
        transfer = self.plain.transfers[transfer_id]
        bodies = {
            "receive": {
                "lines": [{"product_id": transfer.product, "received": float(quantity), "damaged": 0.5 if lose else 0}]
            },
            "cancel": {"disposition": "write_off" if lose else "return"},
        }
        answer = self.post(f"/stock-transfers/{transfer_id}/{step}", bodies.get(step))
        is_accepted = getattr(self, f"plain_{step}")(transfer, quantity, Decimal("0.5") if lose else ZERO)
        after = self.expect(answer, is_accepted, 200)
        if is_accepted:
            line = after["lines"][0]
            assert (after["status"], line["in_transit"]) == (transfer.status, float(transfer.in_transit))

    def plain_ship(self, transfer: Transfer, *_: Decimal) -> bool:
        source = (transfer.product, transfer.source)
        change: Change = (source, -transfer.quantity, -transfer.quantity)
        if transfer.status != "pending" or not self.plain.try_to(change, tell="stock.transfer.shipped"):
            return False
        transfer.status, transfer.shipped = "in_transit", transfer.quantity
        return True

    def plain_receive(self, transfer: Transfer, received: Decimal, damaged: Decimal) -> bool:
        if transfer.status != "in_transit" or received + damaged > transfer.in_transit:
            return False
        destination = (transfer.product, transfer.destination)
        self.plain.make((destination, received + damaged, ZERO), (destination, -damaged, ZERO))
        transfer.received += received
        transfer.lost += damaged
        if transfer.in_transit == 0:
            transfer.status = "completed"
        self.plain.told["stock.transfer.received"] += 1
        return True

    def plain_complete(self, transfer: Transfer, *_: Decimal) -> bool:
        if transfer.status == "pending" and not self.plain_ship(transfer):
            return False
        return self.plain_receive(transfer, transfer.in_transit, ZERO)

    def plain_cancel(self, transfer: Transfer, _: Decimal, lost: Decimal) -> bool:
        source = (transfer.product, transfer.source)
        if transfer.status == "pending":
            self.plain.make((source, ZERO, -transfer.quantity))
        elif transfer.status == "in_transit":
            rest = transfer.in_transit
            self.plain.make((source, rest, ZERO), *([(source, -rest, ZERO)] if lost else []))
            transfer.lost, transfer.returned = (transfer.lost + rest * bool(lost), rest * (not lost))
        else:
            return False
        transfer.status = "cancelled"
        self.plain.told["stock.transfer.cancelled"] += 1
        return True

    # Counts and purchase orders.

    @rule(number=picks)
    def open_count(self, number: int) -> None:
        _, warehouse = self.place(number)
        body = {"warehouse_id": warehouse, "product_ids": self.products}
        opened = self.expect(self.post("/stock-counts", body), is_accepted=True)
        frozen = {product: self.plain.level((product, warehouse)).on_hand for product in self.products}
        self.plain.counts[opened["id"]] = Count(warehouse, frozen)
        self.plain.told["stock.count.opened"] += 1

    @precondition(lambda self: self.plain.counts)
    @rule(number=picks, quantity=quantities)
    def enter_counted(self, number: int, quantity: Decimal) -> None:
        count_id = self.pick(number, self.plain.counts)
        count = self.plain.counts[count_id]
        product = self.pick(number, self.products)
        body = {"lines": [{"product_id": product, "counted": float(quantity)}]}
        is_accepted = count.status == "open"
        self.expect(self.post(f"/stock-counts/{count_id}/lines", body), is_accepted, 200)
        if is_accepted:
            count.counted[product] = quantity
            self.plain.told["stock.count.entered"] += 1

    @precondition(lambda self: self.plain.counts)
    @rule(number=picks)
    def approve_count(self, number: int) -> None:
        count_id = self.pick(number, self.plain.counts)
        count = self.plain.counts[count_id]
        changes: list[Change] = [
            ((product, count.warehouse), counted - count.frozen[product], ZERO)
            for product, counted in count.counted.items()
            if counted != count.frozen[product]
        ]
        is_accepted = count.status == "open" and self.plain.try_to(*changes, tell="stock.count.approved")
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
        self.plain.orders[drafted["id"]] = Order(warehouse, product, quantity, status="ordered")
        self.plain.told.update(["stock.purchase.drafted", "stock.purchase.ordered"])

    @precondition(lambda self: self.plain.orders)
    @rule(number=picks, quantity=quantities, is_over=ends)
    def receive_order(self, number: int, quantity: Decimal, is_over: bool) -> None:
        order_id = self.pick(number, self.plain.orders)
        order = self.plain.orders[order_id]
        line = {"product_id": order.product, "quantity": float(quantity)}
        body = {"lines": [line], "allow_over_receipt": is_over}
        is_accepted = is_over or (order.status != "received" and quantity <= order.quantity - order.received)
        self.expect(self.post(f"/purchase-orders/{order_id}/receive", body), is_accepted, 200)
        if is_accepted:
            order.received += quantity
            order.status = "received" if order.received >= order.quantity else "partially_received"
            self.plain.make(((order.product, order.warehouse), quantity, ZERO))
            self.plain.told["stock.purchase.received"] += 1

    # Many at once, and again.

    @rule(number=picks, takes=st.integers(2, 12), gives=st.integers(0, 3))
    def crowd(self, number: int, takes: int, gives: int) -> None:
        """Sales, holds and receipts of single units of one product by many clients of both replicas."""
        place = self.place(number)
        one = {"product_id": place[0], "quantity": 1}
        sale = ("POST", "/sales", {"warehouse_id": place[1], "lines": [one]})
        hold = ("POST", "/reservations", {"lines": [one | {"warehouse_id": place[1]}]})
        gift = ("POST", "/stock-movements", {**one, "warehouse_id": place[1], "movement_type": "in"})
        requests = [*[sale if (number + n) % 3 else hold for n in range(takes)], *[gift] * gives]
        before = self.plain.available(place)
        served = [
            (request, answer)
            for request, answer in zip(requests, self.replicas.together(requests), strict=True)
            if answer.status_code == 201 or answer.json()["code"] != "insufficient_stock"
        ]
        for request, answer in served:
            body = self.expect(answer, is_accepted=True)
            if request is gift:
                self.plain.make((place, Decimal(1), ZERO))
            elif request is sale:
                self.plain.make((place, Decimal(-1), ZERO))
                self.plain.sales[body["id"]] = Sale(place[1], [(place[0], Decimal(1))])
                self.plain.told["stock.sale.completed"] += 1
            else:
                self.plain.make((place, ZERO, Decimal(1)))
                self.plain.holds[body["id"]] = Hold(place[1], [(place[0], Decimal(1))])
                self.plain.told["stock.reservation.created"] += 1
        taken = sum(request is not gift for request, _ in served)
        if place[1] in self.plain.negative:
            assert taken == takes
        else:
            # Whoever came before the gifts may have found nothing; nobody may have found what was not there.
            there = max(int(before // 1), 0)
            assert min(there, takes) <= taken
            assert taken <= max(before + gives, ZERO)

    @precondition(lambda self: self.last)
    @rule()
    def ask_again(self) -> None:
        assert self.last is not None
        method, path, body, key, first = self.last
        again = self.replicas.call(method, path, body, key)
        assert (again.status_code, again.content) == (first.status_code, first.content)
        assert again.headers["Idempotent-Replayed"] == "true"

    # What always holds.

    @invariant()
    def levels_are_as_they_should_be(self) -> None:
        found = {}
        for product in self.products:
            answer = self.replicas.call("GET", f"/stock-levels?product_id={product}").json()
            for level in answer["items"]:
                numbers = (level["on_hand"], level["reserved"], level["available"], level["incoming"])
                found[product, level["warehouse_id"]] = numbers
        for place, level in self.plain.levels.items():
            assert level.reserved == self.plain.held(place)
            expected = (level.on_hand, level.reserved, level.on_hand - level.reserved, self.plain.on_its_way(place))
            assert found.get(place, (0, 0, 0, 0)) == tuple(map(float, expected))

    def teardown(self) -> None:
        if not hasattr(self, "plain"):
            return
        assert self.replicas.call("GET", "/stock/integrity").json() == {"ok": True, "differences": []}
        self.let_holds_end()
        self.replicas.settle()
        ids = [event_id for _, event_id in self.replicas.published()]
        assert len(ids) == len(set(ids)), "an event was said twice"
        assert self.replicas.document_events() - self.told_before == +self.plain.told
        said = self.replicas.said(set(self.products))
        assert len(said["stock.movement.posted"]) == self.plain.movements
        moved: Counter[tuple[int, int]] = Counter()
        for event in said["stock.level.changed"]:
            moved[event["product_id"], event["warehouse_id"]] += Decimal(str(event["delta"]))  # type: ignore[assignment]
        for place, level in self.plain.levels.items():
            assert moved[place] == level.on_hand

    def let_holds_end(self) -> None:
        """What is overdue is said when somebody needs the stock, or else by a sweep within a second."""
        wanted = self.plain.told["stock.reservation.expired"]
        deadline = time.monotonic() + 20
        while (self.replicas.document_events() - self.told_before)["stock.reservation.expired"] < wanted:
            assert time.monotonic() < deadline
            time.sleep(0.01)


@pytest.mark.timeout(600)
async def test_every_document_in_any_order(database_url: str, issuer: TestIssuer) -> None:
    await anyio.to_thread.run_sync(_explore, database_url, issuer)


def _explore(database_url: str, issuer: TestIssuer) -> None:
    with running_replicas(database_url, issuer) as replicas:
        machine = type("Machine", (StockMachine,), {"replicas": replicas})
        run_state_machine_as_test(
            machine,
            settings=settings(
                max_examples=EXAMPLES,
                stateful_step_count=40,
                deadline=None,
                suppress_health_check=list(HealthCheck),
            ),
        )
