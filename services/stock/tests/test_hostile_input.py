"""Input that must be refused before any work is done: numbers, cursors, query parameters and characters."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

from stockbuddy.contracts.catalog import SupplierCreated
from stockbuddy.stock.documents.purchase_orders.schemas import MAX_ORDER_LINES
from stockbuddy.stock.documents.reservations.schemas import MAX_RESERVATION_LINES
from stockbuddy.stock.documents.sales.schemas import MAX_SALE_LINES
from stockbuddy.stock.documents.transfers.schemas import MAX_TRANSFER_LINES

if TYPE_CHECKING:
    from services.stock.tests.conftest import Shop

NUMBERS = ("0e-50000000", "1e50000000", "9" * 5000, "12_50", "NaN", "Infinity", "٣", "1e-31", "0x10", "--1")
MAX_SECONDS = 2.0
"""Of CPU time: the service runs in the process of the test."""
NUMERIC = {"integer", "number"}


def encoded(document: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(document).encode()).decode().rstrip("=")


def cursors(sort: str) -> Iterator[str]:
    """For a list with this sort order."""
    yield from ("[" * 1400, "x", "é", base64.urlsafe_b64encode(b"[" * 1000).decode(), "%00", "A" * 2000)
    keys: list[Any] = [1, None, {}, [], "ab", [None], [[]], [1] * 9, ["x", "y"]]
    for key in (*keys, ["0e-50000000", 1, 1], [float("inf")], [10**30]):
        yield encoded({"sort": sort, "key": key})
    yield from map(encoded, (1, [], None, {"sort": sort}, {"key": [1]}, {"sort": [1], "key": [1]}))


def operations(shop: Shop) -> Iterator[tuple[str, dict[str, dict[str, Any]]]]:
    """Path and query parameters of every GET operation; path parameters are the id 1."""
    for path, item in shop.app.openapi()["paths"].items():
        if "get" in item and path.startswith("/api/v1"):
            parameters = [p for p in item["get"].get("parameters", []) if p.get("in") == "query"]
            filled = "/".join("1" if part.startswith("{") else part for part in path.split("/"))
            yield filled.removeprefix("/api/v1"), {p["name"]: p["schema"] for p in parameters}


def types_of(schema: dict[str, Any]) -> set[str]:
    return {str(schema.get("type"))}.union(*map(types_of, schema.get("anyOf", [])))


async def test_unusable_number_in_a_query_is_rejected(shared_shop: Shop) -> None:
    checked = set()
    for path, parameters in operations(shared_shop):
        for name in (name for name, schema in parameters.items() if types_of(schema) & NUMERIC):
            checked.add(name)
            for number in NUMBERS:
                started = time.process_time()
                response = await shared_shop.admin.call("GET", path, params={name: number})
                assert response.status_code == 422, (path, name, number, response.text)
                assert time.process_time() - started < MAX_SECONDS
    assert {"price_min", "price_max", "horizon_days", "page", "warehouse_id", "lot", "days"} <= checked


async def test_unknown_query_parameter_is_rejected(shared_shop: Shop) -> None:
    for path, _ in operations(shared_shop):
        response = await shared_shop.admin.call("GET", path, params={"form": "2024-01-01"})
        assert (response.status_code, response.json()["errors"][0]["field"]) == (422, "form"), path


@pytest.mark.parametrize(
    ("path", "maximum", "fields"),
    [
        ("/sales", MAX_SALE_LINES, {}),
        ("/reservations", MAX_RESERVATION_LINES, {}),
        ("/stock-transfers", MAX_TRANSFER_LINES, {"from_warehouse_id": 1, "to_warehouse_id": 2}),
        ("/purchase-orders", MAX_ORDER_LINES, {"supplier_id": 7}),
    ],
)
async def test_document_with_the_most_lines_fits_into_its_event(
    shop: Shop, path: str, maximum: int, fields: dict[str, Any]
) -> None:
    """With the longest texts, of letters that take the most bytes in JSON; one more line is refused."""
    tea = await shop.product(10_000, name="\U0001d49c" * 200, sku="\U0001d49c" * 64)
    assert await shop.warehouse("ANNEX") == 2
    await shop.deliver(SupplierCreated(supplier_id=7, version=1, name="Leaf & Co"))
    cost = {"unit_cost": "1"} if path == "/purchase-orders" else {}
    line = {"product_id": tea, "quantity": 1, **cost}
    refused = await shop.admin.expect_problem(422, path, {**fields, "lines": [line] * (maximum + 1)})
    assert [error["field"] for error in refused["errors"]] == ["lines"]
    made = await shop.admin.post(path, {**fields, "lines": [line] * maximum})
    assert len(made["lines"]) == maximum
    await shop.wait_until_published()


async def test_unusable_cursor_is_rejected(shared_shop: Shop) -> None:
    lists = [(path, parameters) for path, parameters in operations(shared_shop) if "cursor" in parameters]
    assert len(lists) >= 12
    for path, parameters in lists:
        if "/1/" in path:  # its first page is 404
            continue
        sort = str(parameters.get("sort_by", {}).get("default", SORTS.get(path)))
        for cursor in cursors(sort):
            response = await shared_shop.admin.call("GET", path, params={"cursor": cursor})
            assert response.status_code == 422, (path, cursor, response.text)


SORTS = {
    "/stock-levels": "product_asc",
    "/warehouses": "id_asc",
    "/reorder-rules": "id_asc",
    "/reorder-suggestions": "urgency_asc",
}
"""The sort orders of lists without `sort_by`."""


@pytest.mark.parametrize("character", ["\x04", "\x0b", "\x1f", "\ufffe", "\uffff", "\x00"])
async def test_unprintable_character_in_a_filter_is_rejected(shared_shop: Shop, character: str) -> None:
    for path, parameters in operations(shared_shop):
        for name in parameters.keys() & {"category", "search", "sku", "reference_number", "document", "external_ref"}:
            for report_format in ["xlsx", "csv"] if "format" in parameters else [None]:
                chosen = {name: f"a{character}b"} | ({} if report_format is None else {"format": report_format})
                response = await shared_shop.admin.call("GET", path, params=chosen)
                assert response.status_code == 422, (path, name, response.text)


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/customers", {"name": "Kim\uffff"}),
        ("/customers", {"name": "Kim", "email": "kim\x04@example.com"}),
        ("/warehouses", {"name": "A\x0bB", "code": "AB"}),
        ("/expenses", {"category": "rent\x1f", "amount": "1", "incurred_on": "2026-01-01"}),
        ("/sales", {"product": "TEA", "quantity": 1, "reference": "\ufffe"}),
    ],
)
async def test_unprintable_character_in_a_text_is_rejected(shared_shop: Shop, path: str, body: dict[str, Any]) -> None:
    await shared_shop.admin.expect_problem(422, path, body)


BODIES: list[tuple[str, str, str]] = [
    ("POST", "/sales", '{"product": "TEA", "quantity": 1, "unit_price": @}'),
    ("POST", "/sales", '{"product": "TEA", "quantity": @}'),
    ("POST", "/sales", '{"lines": [{"product": "TEA", "quantity": 1, "discount": @}]}'),
    ("POST", "/sales/batch", '{"sales": [{"product": "TEA", "quantity": 1, "unit_price": @}]}'),
    ("POST", "/sales/1/returns", '{"lines": [{"line_id": 1, "quantity": @}]}'),
    ("POST", "/stock-movements", '{"sku": "TEA", "movement_type": "in", "quantity": @}'),
    ("POST", "/stock-movements", '{"sku": "TEA", "movement_type": "in", "quantity": 1, "unit_cost": @}'),
    ("POST", "/stock-movements", '{"sku": "TEA", "movement_type": "in", "quantity": 1, "lot": @}'),
    ("POST", "/stock-movements/batch", '{"movements": [{"sku": "TEA", "movement_type": "in", "quantity": @}]}'),
    ("PUT", "/stock-levels", '{"sku": "TEA", "quantity": @, "expected_quantity": null}'),
    ("PUT", "/stock-levels", '{"sku": "TEA", "quantity": 1, "expected_quantity": @}'),
    ("POST", "/reservations", '{"lines": [{"sku": "TEA", "quantity": @}]}'),
    ("POST", "/reservations", '{"lines": [{"sku": "TEA", "quantity": 1}], "expires_in": @}'),
    ("POST", "/stock-transfers", '{"from_warehouse_id": 1, "to_warehouse_id": 2, "sku": "TEA", "quantity": @}'),
    ("POST", "/stock-transfers", '{"from_warehouse_id": @, "to_warehouse_id": 2, "sku": "TEA", "quantity": 1}'),
    ("POST", "/stock-transfers/1/receive", '{"lines": [{"line_id": 1, "received": @}]}'),
    ("POST", "/stock-counts/1/lines", '{"lines": [{"sku": "TEA", "counted": @}]}'),
    ("POST", "/purchase-orders", '{"supplier_id": 1, "lines": [{"sku": "TEA", "quantity": @}]}'),
    ("POST", "/purchase-orders", '{"supplier_id": 1, "lines": [{"sku": "TEA", "quantity": 1, "unit_cost": @}]}'),
    ("POST", "/purchase-orders/1/receive", '{"lines": [{"line_id": 1, "quantity": @}]}'),
    ("POST", "/expenses", '{"category": "rent", "amount": @, "incurred_on": "2026-01-01"}'),
    ("POST", "/reorder-rules", '{"sku": "TEA", "reorder_point": @}'),
    ("POST", "/reorder-rules", '{"sku": "TEA", "lead_time_days": @}'),
    ("POST", "/reorder-suggestions/order", '{"lines": [{"sku": "TEA", "quantity": @}]}'),
]


@pytest.mark.parametrize(("method", "path", "body"), BODIES)
async def test_unusable_number_in_a_body_is_rejected(shared_shop: Shop, method: str, path: str, body: str) -> None:
    """As text, and as a JSON number where JSON has such numbers; those with too many digits are malformed (400)."""
    json_numbers = ("1e50000000", "9" * 5000, "NaN", "-Infinity", "1e-31")
    for number in (*(json.dumps(number) for number in NUMBERS), *json_numbers):
        started = time.process_time()
        headers = {"content-type": "application/json"}
        response = await shared_shop.admin.call(method, path, content=body.replace("@", number), headers=headers)
        assert response.status_code in (400, 422), (number[:40], response.text)
        assert time.process_time() - started < MAX_SECONDS
