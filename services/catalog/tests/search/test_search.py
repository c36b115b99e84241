"""Searches by words and prefixes of name, SKU, description, category and barcode, best matches first."""

from typing import Any

import asyncpg
import pytest
from httpx2 import AsyncClient


async def make(client: AsyncClient, sku: str, name: str, **fields: Any) -> int:
    answer = await client.post("/products", json={"name": name, "sku": sku, "unit_price": 1} | fields)
    assert answer.status_code == 201, answer.text
    product_id: int = answer.json()["id"]
    return product_id


async def found(client: AsyncClient, search: str, **params: Any) -> list[str]:
    answer = await client.get("/products", params={"search": search, **params})
    assert answer.status_code == 200, answer.text
    skus = [item["sku"] for item in answer.json()["items"]]
    assert answer.json()["total"] == len(skus)
    return skus


@pytest.mark.parametrize(
    "search",
    [
        "lantern",
        "LANTERN",
        "lant",
        "metal lantern",
        "lantern, white!",
        "whi met lan",
        "café",
        "cafe",
        "WL-77",
        "wl 77",
        "wl77",
        "wl-77/b",
        "5012345678900",
        "50123456",
        "garden",
        "gard lantern",
        "candles",
        "0.5",
        "größe",
    ],
)
async def test_search_by_word_or_prefix_of_any_field_finds_product(seller: AsyncClient, search: str) -> None:
    await make(
        seller,
        "WL-77/B",
        "White metal Lantern",
        description="For two candles at the Café; 0.5 l, Größe XL",
        category="Garden & Patio",
        barcodes=["5012345678900"],
    )
    await make(seller, "OTHER", "Red kettle", category="Kitchen")


@pytest.mark.parametrize("search", ["antern", "lantern kettle", "!!!", "x' | y:*", "lantern & !white", "\\", "a\0b"])
async def test_search_without_match_finds_nothing(seller: AsyncClient, search: str) -> None:
    await make(seller, "A", "White metal lantern")
    await make(seller, "B", "Red kettle")

    if search == "lantern & !white":
        # Operators have no meaning in a search: these are two words.
        assert await found(seller, search) == ["A"]
    else:
        assert await found(seller, search) == []


async def test_search_ranks_best_matches_first(seller: AsyncClient) -> None:
    await make(seller, "D", "Wall hook", description="Holds a lamp")
    await make(seller, "C", "Lampshade")
    await make(seller, "B", "Lamp with a very long name that says many other things as well")
    await make(seller, "A", "Lamp")
    await make(seller, "LAMP", "Torch")

    assert await found(seller, "lamp") == ["LAMP", "A", "B", "C", "D"]
    assert await found(seller, "lamp", sort_by="name_asc") == ["A", "B", "C", "LAMP", "D"]


async def test_search_after_each_change_is_current(seller: AsyncClient) -> None:
    product_id = await make(seller, "A", "Lamp", category="Light")
    path = f"/products/{product_id}"

    await seller.patch(path, json={"name": "Torch"})
    assert (await found(seller, "lamp"), await found(seller, "torch"), await found(seller, "light")) == (
        [],
        ["A"],
        ["A"],
    )
    await seller.patch(path, json={"category": "Camping"})
    assert (await found(seller, "light"), await found(seller, "camp")) == ([], ["A"])
    await seller.delete(path)
    assert await found(seller, "torch") == []
    await seller.post(f"{path}/restore")
    assert await found(seller, "torch") == ["A"]


async def test_search_with_filters_returns_matches_of_both(service: Any, seller: AsyncClient, samples: Any) -> None:
    first = await make(seller, "A", "Lamp", category="Light", unit_price=5)
    await make(seller, "B", "Lamp", category="Dark", unit_price=9)
    await service.publish(samples.level(first, 3))

    assert await found(seller, "lamp", category="light") == ["A"]
    assert await found(seller, "lamp", price_min=6) == ["B"]
    assert await found(seller, "lamp", in_stock=True) == ["A"]
    assert await found(seller, "lamp", low_stock=True, sort_by="price_desc") == ["B", "A"]


async def analyze_words(settings: Any) -> None:
    """Update the statistics: a replica that starts afterwards reads the common words from them."""
    connection = await asyncpg.connect(settings.database_url)
    await connection.execute("ANALYZE catalog.product_card")
    await connection.close()


@pytest.mark.parametrize("is_analyzed", [False, True])
async def test_ranked_pages_return_each_match_once(start: Any, settings: Any, is_analyzed: bool) -> None:
    names = {}
    first = await start()
    async with first.client(5) as seller:
        for number in range(230):
            sku = f"S{number:03}"
            names[sku] = "Lamp" if number % 7 == 0 else f"Lampshade {number}"
            await make(seller, sku, names[sku])
    if is_analyzed:
        await analyze_words(settings)

    by_page: list[str] = []
    by_cursor: list[str] = []
    params: dict[str, Any] = {"search": "lamp", "page_size": 30}
    second = await start()
    async with second.client(5) as seller:
        for page in range(1, 9):
            answer = (await seller.get("/products", params=params | {"page": page})).json()
            by_page += [item["sku"] for item in answer["items"]]
        cursor = None
        while cursor is not None or not by_cursor:
            answer = (await seller.get("/products", params=params | ({"cursor": cursor} if cursor else {}))).json()
            assert answer["total"] == 230
            by_cursor += [item["sku"] for item in answer["items"]]
            cursor = answer["next_cursor"]

    assert sorted(by_page) == sorted(names)
    assert by_cursor == by_page
    assert {names[sku] for sku in by_page[:33]} == {"Lamp"}


async def test_search_with_common_words_finds_all_matches(start: Any, settings: Any) -> None:
    first = await start()
    async with first.client(5) as seller:
        for number in range(150):
            rare = " velvet" if number % 50 == 0 else ""
            await make(seller, f"S{number:03}", f"Lamp{rare}" if number % 2 else f"Lampshade{rare}")
    await analyze_words(settings)
    second = await start()
    async with second.client(5) as seller:
        assert await found(seller, "lamp velvet") == ["S100", "S050", "S000"]
        answer = (await seller.get("/products", params={"search": "lamp", "page_size": 100})).json()
        rest = (await seller.get("/products", params={"search": "lamp", "page_size": 100, "page": 2})).json()

    names = [item["name"] for item in answer["items"]]
    assert answer["total"] == 150
    assert names.index("Lampshade") == 75
    assert len({item["id"] for item in answer["items"] + rest["items"]}) == 150
