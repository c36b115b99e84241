"""Hundreds of changes at once: the page reads its list again once per interval, and draws it once."""

import contextlib
import json
from typing import Any

import pytest
from playwright.sync_api import Page, Request, Route, WebSocket, expect

from .conftest import OpenPage, RunningSystem
from .test_time import pause

PRODUCTS, SALES = 50, 8
LIST = "**/api/v1/stock-levels?*"
REFRESH_MILLISECONDS = 1500
COUNT_DRAWINGS = """() => {
  window.drawings = 0;
  const table = document.querySelector(".data-table");
  const changes = {subtree: true, childList: true, characterData: true};
  new MutationObserver(() => { window.drawings += 1 }).observe(table, changes);
}"""


class Movements:
    """Those of a type that the page has received."""

    def __init__(self, page: Page, movement_type: str) -> None:
        self.movement_type = movement_type
        self.received = 0
        page.on("websocket", self._watch)

    def _watch(self, socket: WebSocket) -> None:
        self.socket = socket
        socket.on("framereceived", self._count)

    def _count(self, frame: Any) -> None:
        event = json.loads(frame)
        if event["event"] == "stock.movement.posted":
            self.received += event["data"]["data"]["movement_type"] == self.movement_type

    def wait_for(self, number: int) -> None:
        while self.received < number:
            self.socket.wait_for_event("framereceived")


@pytest.fixture
def lines(system: RunningSystem) -> list[dict[str, Any]]:
    """Of a sale of many products."""
    for number in range(PRODUCTS):
        product = {
            "sku": f"LIVE-{number:02}",
            "name": f"Live {number}",
            "unit_price": "1.00",
            "quantity": 1000,
            "category": "Live",
        }
        system.call("POST", "/products", product)
    return [{"sku": f"LIVE-{number:02}", "quantity": 1} for number in range(PRODUCTS)]


def test_hundreds_of_movements_are_one_request_and_one_drawing(
    open_page: OpenPage, system: RunningSystem, lines: list[dict[str, Any]]
) -> None:
    warehouse = next(one["id"] for one in system.call("GET", "/warehouses")["items"] if one["is_default"])
    page = open_page("/")
    movements = Movements(page, "sale")
    page.clock.install()
    page.goto(f"{system.url}/stock-levels?category=Live")
    row = page.get_by_role("row").filter(has_text="LIVE-00")
    expect(row).to_contain_text("1,000")
    expect(page.get_by_role("status").filter(has_text="No live connection")).to_have_count(0)
    page.clock.run_for(2 * REFRESH_MILLISECONDS)  # what the products' creation has changed
    expect(page.locator(".mantine-Loader-root")).to_have_count(0)
    pause(page)
    page.evaluate(COUNT_DRAWINGS)
    requests: list[Request] = []
    page.on("request", lambda request: record(requests, request))

    for _ in range(SALES):
        system.call("POST", "/sales", {"warehouse_id": warehouse, "lines": lines})
    movements.wait_for(SALES * PRODUCTS)
    assert requests == []
    with page.expect_response(LIST):
        page.clock.run_for(REFRESH_MILLISECONDS)
    wait_for_text(page, "LIVE-00", "992")
    assert [request.url.split("?")[0].split("/")[-1] for request in requests] == ["stock-levels"]
    assert page.evaluate("window.drawings") == 1


def record(found: list[Any], item: Any) -> None:
    """`append` itself is no handler of Playwright."""
    found.append(item)


def hold_first(held: list[Route], route: Route) -> None:
    held.append(route)
    if len(held) > 1:
        route.continue_()


def wait_for_text(page: Page, sku: str, text: str) -> None:
    """Timers of the page run until the row has the text."""
    row = page.get_by_role("row").filter(has_text=sku)
    while text not in row.inner_text():
        page.clock.run_for(10)


def test_slow_answer_is_awaited_before_the_next_request(open_page: OpenPage, system: RunningSystem) -> None:
    fields = {"sku": "SLOW-1", "name": "Slow", "category": "Slow", "unit_price": "1.00", "quantity": 5}
    product = system.call("POST", "/products", fields)
    movement = {
        "product_id": product["id"],
        "warehouse_id": product["stock"][0]["warehouse_id"],
        "movement_type": "out",
    }
    page = open_page("/")
    movements = Movements(page, "out")
    page.clock.install()
    page.goto(f"{system.url}/stock-levels?category=Slow")
    expect(page.get_by_role("row").filter(has_text="SLOW-1")).to_contain_text("5")
    page.clock.run_for(2 * REFRESH_MILLISECONDS)
    pause(page)
    held: list[Route] = []
    page.route(LIST, lambda route: hold_first(held, route))
    for number in range(1, 4):
        system.call("POST", "/stock-movements", {**movement, "quantity": 1})
        movements.wait_for(number)
        with page.expect_request(LIST) if number == 1 else contextlib.nullcontext():
            page.clock.run_for(REFRESH_MILLISECONDS)
    assert len(held) == 1, "the movements meanwhile start no further request"
    with page.expect_response(LIST):
        held[0].continue_()
    wait_for_text(page, "SLOW-1", "2")
