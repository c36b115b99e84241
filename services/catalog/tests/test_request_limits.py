"""What every call refuses: hostile numbers, cursors and characters; and the schemas of partial updates."""

import base64
import io
import json
from typing import Any

import asyncpg
import pytest
from httpx2 import AsyncClient
from openpyxl import load_workbook

from stockbuddy.catalog.app import CatalogSettings
from stockbuddy.chassis.testing.lists import list_paths

NUMBERS = ["0e-50000000", "1e-999999999", "9e99999", "12_50", "9" * 5000, "NaN", "Infinity", "٣"]
TEAPOT = {"name": "Teapot", "sku": "TEA-1", "unit_price": "19.9"}
NUMBER_FIELDS = ["unit_price", "cost_price", "low_stock_threshold", "quantity"]


async def test_unknown_parameter_of_a_list_is_rejected(service: Any, admin: AsyncClient) -> None:
    paths = list(list_paths(service.app))
    assert len(paths) >= 4
    for path in paths:
        answer = await admin.get(path.removeprefix("/api/v1"), params={"form": "2024-01-01"})
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "form"), path


async def test_body_limits_numbers_before_conversion(seller: AsyncClient) -> None:
    made = (await seller.post("/products", json=TEAPOT | {"sku": "MADE"})).json()

    for number in NUMBERS:
        for field in NUMBER_FIELDS:
            answer = await seller.post("/products", json=TEAPOT | {field: number})
            assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, field), number
        for change in ({"unit_price": number}, {"price": number}, {"low_stock_threshold": number}):
            assert (await seller.patch(f"/products/{made['id']}", json=change)).status_code == 422
        supplier = await seller.post("/suppliers", json={"name": "x", "lead_time_days": number})
        assert supplier.status_code == 422


@pytest.mark.parametrize("path", ["/products", "/products/export"])
async def test_query_limits_numbers_before_conversion(manager: AsyncClient, path: str) -> None:
    for number in NUMBERS:
        for name in ("price_min", "price_max", "supplier_id", "category_id", "owner_id", "page", "page_size"):
            if number == "12_50" and not name.startswith("price"):
                continue
            answer = await manager.get(path, params={name: number})
            assert answer.status_code == 422, (name, number)


def cursor_of(document: Any) -> str:
    text = document if isinstance(document, str) else json.dumps(document)
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


KEYS: list[list[Any]] = [
    *([], ["x"], ["x", "y"], [{}, []], [None, None]),
    *(["x", 2**70], ["x", "0e-50000000"]),
]
CURSORS = [
    cursor_of("[" * 1400),
    cursor_of('{"sort":' + "[" * 1300),
    *(
        cursor_of({"sort": sort, "key": key})
        for sort in ("created_desc", "name_asc", "price_asc", "stock_asc", "id_desc")
        for key in KEYS
    ),
    "=",
    "é",
    "[" * 1400,
]


@pytest.mark.parametrize("path", ["/products", "/categories", "/suppliers", "/imports"])
async def test_list_with_forged_cursor_is_rejected(manager: AsyncClient, path: str) -> None:
    for cursor in CURSORS:
        answer = await manager.get(path, params={"cursor": cursor})
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "cursor"), cursor
    for sort in ("price_asc", "stock_desc"):
        forged = cursor_of({"sort": sort, "key": ["0e-50000000", 1]})
        answer = await manager.get("/products", params={"sort_by": sort, "cursor": forged})
        assert answer.status_code == 422


@pytest.mark.parametrize("character", ["\uffff", "\ufffe", "\ufdd0", "\U0001ffff", "\x0b"])
async def test_text_with_noncharacter_is_rejected(seller: AsyncClient, character: str) -> None:
    text = f"a{character}b"
    for field in ("name", "sku", "description", "category", "unit_of_measure"):
        answer = await seller.post("/products", json=TEAPOT | {field: text})
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, field)
    assert (await seller.post("/products", json=TEAPOT | {"barcodes": [text]})).status_code == 422
    assert (await seller.post("/categories", json={"name": text})).status_code == 422
    assert (await seller.post("/suppliers", json={"name": text})).status_code == 422


async def test_export_of_a_noncharacter_of_an_earlier_release_opens(
    manager: AsyncClient, settings: CatalogSettings
) -> None:
    await manager.post("/products", json=TEAPOT)
    connection = await asyncpg.connect(settings.database_url, server_settings={"search_path": "catalog"})
    await connection.execute("UPDATE product SET name = E'a\\uffffb', description = E'\\x01'")
    await connection.close()

    answer = await manager.get("/products/export", params={"format": "xlsx"})

    sheet = load_workbook(io.BytesIO(answer.content)).worksheets[0]
    assert [cell.value for cell in sheet[2]][:3] == ["TEA-1", "a\ufffdb", "\ufffd"]


def referenced(document: dict[str, Any], part: Any) -> set[str]:
    """Names of the schemas that a part of the document refers to, also through other schemas."""
    found: set[str] = set()
    waiting = [part]
    while waiting:
        node = waiting.pop()
        if isinstance(node, dict):
            name = str(node.get("$ref", "")).rpartition("/")[2]
            if name in document["components"]["schemas"] and name not in found:
                found.add(name)
                waiting.append(document["components"]["schemas"][name])
            waiting.extend(node.values())
        elif isinstance(node, list):
            waiting.extend(node)
    return found


def operations(document: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    return [(method, operation) for path in document["paths"].values() for method, operation in path.items()]


async def test_schemas_of_partial_updates_have_no_defaults_and_no_required_fields(service: Any) -> None:
    document = service.app.openapi()

    bodies = [operation["requestBody"] for method, operation in operations(document) if method in ("patch", "put")]
    names = referenced(document, bodies) - {"ImageUpload"}  # replaces the whole image

    assert {"ProductUpdate", "CategoryUpdate", "SupplierUpdate"} <= names
    for name in names:
        schema = document["components"]["schemas"][name]
        assert "required" not in schema
        assert not [field for field, details in schema["properties"].items() if "default" in details]


async def test_requests_and_responses_have_separate_schemas(service: Any) -> None:
    document = service.app.openapi()
    requests = referenced(document, [operation.get("requestBody") for _, operation in operations(document)])
    successes = [
        response
        for _, operation in operations(document)
        for status, response in operation["responses"].items()
        if status.startswith("2")
    ]

    assert requests
    assert not requests & referenced(document, successes)


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
async def test_update_of_one_field_keeps_the_others(manager: AsyncClient, method: str) -> None:
    product = TEAPOT | {"description": "d", "cost_price": "2", "barcodes": ["1"], "is_active": False, "category": "C"}
    supplier = {"name": "S", "phone_number": "1", "address": "a", "lead_time_days": 3, "contact_email": "a@b.example"}
    for collection, body in (("products", product), ("suppliers", supplier), ("categories", {"name": "K"})):
        made = (await manager.post(f"/{collection}", json=body)).json()

        changed = await manager.request(method, f"/{collection}/{made['id']}", json={"name": "New"})

        own = {"name": "New", "version": 2, "updated_at": changed.json()["updated_at"]}
        assert changed.json() == made | own
