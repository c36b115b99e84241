"""Lists of products: sort orders, filters, pages by number and by cursor, exact totals."""

import asyncio
import base64
import json
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from httpx2 import AsyncClient

Make = Callable[..., Awaitable[int]]


@pytest.fixture
def make(seller: AsyncClient) -> Make:
    """Creates a product and returns its id."""

    async def make_product(sku: str, **fields: Any) -> int:
        answer = await seller.post("/products", json={"name": sku, "sku": sku, "unit_price": 1} | fields)
        assert answer.status_code == 201, answer.text
        product_id: int = answer.json()["id"]
        return product_id

    return make_product


async def listed(client: AsyncClient, **params: Any) -> list[str]:
    """The SKUs of a list that fits on one page."""
    answer = await client.get("/products", params=params)
    assert answer.status_code == 200, answer.text
    skus = [item["sku"] for item in answer.json()["items"]]
    assert answer.json()["total"] == len(skus)
    return skus


async def test_list_of_empty_catalogue_has_no_items(seller: AsyncClient) -> None:
    answer = await seller.get("/products")

    assert answer.json() == {"items": [], "page": 1, "page_size": 20, "total": 0, "next_cursor": None}


async def test_list_with_sort_orders_products(service: Any, seller: AsyncClient, make: Make, samples: Any) -> None:
    ids = [
        await make("B", name="banana", unit_price="2"),
        await make("A", name="Apple", unit_price="10"),
        await make("C", name="cherry", unit_price="9.5"),
    ]
    await service.publish(
        *(samples.level(product_id, stock) for product_id, stock in zip(ids, (7, 30, -1), strict=True))
    )

    orders = {sort: await listed(seller, sort_by=f"{sort}_asc") for sort in ("name", "created", "price", "stock")}

    assert orders == {
        "name": ["A", "B", "C"],
        "created": ["B", "A", "C"],
        "price": ["B", "C", "A"],
        "stock": ["C", "B", "A"],
    }
    for sort, order in orders.items():
        assert await listed(seller, sort_by=f"{sort}_desc") == order[::-1]
    assert await listed(seller) == orders["created"][::-1]


@pytest.mark.parametrize(
    "sort",
    ["name_asc", "name_desc", "created_asc", "created_desc", "price_asc", "price_desc", "stock_asc", "stock_desc"],
)
async def test_cursor_over_equal_keys_returns_each_product_once(
    service: Any, seller: AsyncClient, make: Make, samples: Any, sort: str
) -> None:
    for number in range(7):
        product_id = await make(f"S{number}", name="same" if number % 2 else "other", unit_price=number % 3)
        await service.publish(samples.level(product_id, number % 2))
    whole = await listed(seller, sort_by=sort)

    walked: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        params: dict[str, Any] = {"sort_by": sort, "page_size": 2} | ({"cursor": cursor} if cursor else {})
        answer = (await seller.get("/products", params=params)).json()
        assert answer["total"] == 7
        walked += [item["sku"] for item in answer["items"]]
        cursor = answer["next_cursor"]

    assert walked == whole
    paged = [
        item["sku"]
        for page in (1, 2, 3, 4)
        for item in (await seller.get("/products", params={"sort_by": sort, "page_size": 2, "page": page})).json()[
            "items"
        ]
    ]
    assert paged == whole


async def test_cursor_after_insert_and_delete_is_stable(seller: AsyncClient, make: Make) -> None:
    for number in range(6):
        await make(f"S{number}")
    first = (await seller.get("/products", params={"page_size": 3})).json()

    await make("NEW")
    await seller.delete(f"/products/{first['items'][2]['id']}")
    second = (await seller.get("/products", params={"page_size": 3, "cursor": first["next_cursor"]})).json()

    assert [item["sku"] for item in second["items"]] == ["S2", "S1", "S0"]
    assert second["next_cursor"] is None


async def test_cursor_of_another_sort_is_rejected(seller: AsyncClient, make: Make) -> None:
    await make("A")
    await make("B")
    cursor = (await seller.get("/products", params={"page_size": 1})).json()["next_cursor"]

    for params in ({"cursor": "nonsense"}, {"cursor": cursor, "sort_by": "name_asc"}):
        answer = await seller.get("/products", params=params)
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "cursor")


def forged(sort: str, *key: Any) -> dict[str, str]:
    document = json.dumps({"sort": sort, "key": key})
    return {"cursor": base64.urlsafe_b64encode(document.encode()).decode()}


@pytest.mark.parametrize(
    ("sort", "key"),
    [
        ("price_asc", ("cheap", 1)),
        ("price_asc", ("NaN", 1)),
        ("price_asc", ("1e999999", 1)),
        ("stock_desc", ("1", 2**70)),
        ("created_asc", ("infinity", 1)),
        ("created_asc", ("2026-01-01T00:00:00", 1)),
        ("created_asc", ("0001-01-01T00:00:00+23:59", 1)),
        ("name_asc", ("a\0", 1)),
        ("name_asc", ("\ud800", 1)),
        ("name_asc", ("a",)),
        ("relevance", ("high", 1)),
    ],
)
async def test_forged_cursor_is_rejected(seller: AsyncClient, sort: str, key: tuple[Any, ...]) -> None:
    answer = await seller.get("/products", params={"search": "a", "sort_by": sort} | forged(sort, *key))

    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "cursor")


async def test_page_beyond_the_end_has_the_total(seller: AsyncClient, make: Make) -> None:
    await make("A")

    answer = (await seller.get("/products", params={"page": 9})).json()

    assert answer == {"items": [], "page": 9, "page_size": 20, "total": 1, "next_cursor": None}


@pytest.mark.parametrize(
    "params",
    [
        {"page": 0},
        {"page_size": 101},
        {"page_size": "many"},
        {"sort_by": "colour_asc"},
        {"sort_by": "relevance"},
        {"price_min": "cheap"},
        {"created_from_date": "yesterday"},
        {"created_to_date": "9999-12-31T23:59:59-23:59"},
        {"low_stock": "perhaps"},
        {"search": "x" * 201},
        {"colour": "red"},
    ],
)
async def test_list_with_invalid_query_is_rejected(seller: AsyncClient, params: dict[str, Any]) -> None:
    assert (await seller.get("/products", params=params)).status_code == 422


async def test_list_with_filters_returns_matches(
    service: Any, seller: AsyncClient, manager: AsyncClient, make: Make, samples: Any
) -> None:
    full = await make("FULL", category="Tea", unit_price="5", low_stock_threshold=3)
    few = await make("FEW", category="tea ", unit_price="7.5", low_stock_threshold=3)
    await make("NONE", category="Coffee", unit_price="10", is_active=False)
    await manager.post("/products", json={"name": "x", "sku": "OTHER", "price": 20})
    await service.publish(samples.level(full, 11), samples.level(few, 3))

    async def found(**params: Any) -> set[str]:
        return set(await listed(seller, **params))

    assert await found(category="TEA") == {"FULL", "FEW"}
    assert await found(category="Nothing") == set()
    assert await found(owner_id=2) == {"OTHER"}
    assert await found(price_min="7.5", price_max=10) == {"FEW", "NONE"}
    assert await found(low_stock=True) == {"FEW", "NONE", "OTHER"}
    assert await found(low_stock=False) == {"FULL"}
    assert await found(in_stock=True) == {"FULL", "FEW"}
    assert await found(in_stock=False) == {"NONE", "OTHER"}
    assert await found(is_active=False) == {"NONE"}
    assert await found(category=" ", search="") == {"FULL", "FEW", "NONE", "OTHER"}
    assert await found(is_active=True, low_stock=True, owner_id=5, sort_by="stock_asc") == {"FEW"}
    assert await found(low_stock=True, category="Tea", sort_by="name_desc") == {"FEW"}
    category_id = (await seller.get(f"/products/{full}")).json()["category_id"]
    assert await found(category_id=category_id) == {"FULL", "FEW"}


async def test_created_dates_filter_half_open_interval(seller: AsyncClient, make: Make) -> None:
    first = (await seller.get(f"/products/{await make('A')}")).json()["created_at"]
    second = (await seller.get(f"/products/{await make('B')}")).json()["created_at"]

    assert await listed(seller, created_from_date=first, created_to_date=second) == ["A"]
    assert await listed(seller, created_from_date=second) == ["B"]
    day = first[:10]
    assert await listed(seller, created_to_date=day) == []
    assert await listed(seller, created_from_date=day) == ["B", "A"]


async def test_created_days_are_those_of_the_company(
    service: Any, seller: AsyncClient, manager: AsyncClient, make: Make, samples: Any
) -> None:
    """In the time zone 14 hours ahead, days begin 10 hours before those in UTC."""
    created = datetime.fromisoformat((await seller.get(f"/products/{await make('A')}")).json()["created_at"])
    for version, zone in enumerate(("Pacific/Kiritimati", "Etc/GMT+12"), start=1):
        await service.publish(samples.settings(version, 10).model_copy(update={"timezone": zone}))
        day = created.astimezone(ZoneInfo(zone)).date()
        before, after = (str(day + timedelta(days=days)) for days in (-1, 1))
        assert await listed(seller, created_from_date=str(day), created_to_date=after) == ["A"], zone
        assert await listed(seller, created_from_date=before, created_to_date=str(day)) == [], zone
        assert await listed(seller, created_from_date=after) == [], zone
        exported = await manager.get("/products/export", params={"created_from_date": after})
        assert len(exported.text.splitlines()) == 1


async def test_total_need_not_be_counted(seller: AsyncClient, make: Make) -> None:
    for sku in ("A", "B", "C"):
        await make(sku)

    async def total(**query: Any) -> int:
        found: int = (await seller.get("/products", params=query)).json()["total"]
        return found

    assert await total(in_stock=False, page_size=1, exact_total=False) == 2
    assert await total(in_stock=False, page_size=1, page=3, exact_total=False) == 3
    assert await total(in_stock=False, page_size=1) == 3


async def test_list_with_deleted_products_is_for_managers(
    seller: AsyncClient, manager: AsyncClient, make: Make
) -> None:
    await make("A")
    await seller.delete(f"/products/{await make('B')}")

    assert await listed(manager) == ["A"]
    assert await listed(manager, include_deleted=True) == ["B", "A"]
    assert (await seller.get("/products", params={"include_deleted": True})).status_code == 403


async def test_totals_after_each_write_are_exact(service: Any, seller: AsyncClient, make: Make, samples: Any) -> None:
    async def totals() -> list[int]:
        asked: list[dict[str, Any]] = [{}, {"search": "tea"}, {"category": "Kitchen"}, {"in_stock": True}]
        return [(await seller.get("/products", params=params)).json()["total"] for params in asked]

    assert await totals() == [0, 0, 0, 0]
    teapot = await make("A", name="Teapot", category="Kitchen")
    assert await totals() == [1, 1, 1, 0]
    await service.publish(samples.level(teapot, 1))
    assert await totals() == [1, 1, 1, 1]
    await seller.patch(f"/products/{teapot}", json={"name": "Kettle", "category": None})
    assert await totals() == [1, 0, 0, 1]
    await service.publish(samples.level(teapot, 0, version=2))
    assert await totals() == [1, 0, 0, 0]
    await seller.delete(f"/products/{teapot}")
    assert await totals() == [0, 0, 0, 0]


async def test_totals_under_concurrent_writes_are_exact(seller: AsyncClient, make: Make) -> None:
    ids = await asyncio.gather(*(make(f"S{number}") for number in range(40)))
    await asyncio.gather(*(seller.delete(f"/products/{product_id}") for product_id in ids[::2]))

    assert len(await listed(seller, page_size=100)) == 20


async def test_list_with_current_etag_is_not_modified(seller: AsyncClient, make: Make) -> None:
    await make("A")
    tag = (await seller.get("/products")).headers["etag"]

    assert (await seller.get("/products", headers={"If-None-Match": tag})).status_code == 304
    await make("B")
    assert (await seller.get("/products", headers={"If-None-Match": tag})).status_code == 200
