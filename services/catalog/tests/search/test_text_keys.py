"""What people read as equal is equal: in searches, look-ups, unique names and the order of lists."""

from typing import Any

import pytest
from httpx2 import AsyncClient


async def make(client: AsyncClient, name: str, **fields: Any) -> Any:
    return await client.post("/products", json={"name": name, "sku": name[:100], "unit_price": 1} | fields)


NAMES = [
    ("ΚΑΦΕΣ ΕΛΛΗΝΙΚΟΣ", ["καφές", "ελληνικος", "ΚΑΦΈΣ"]),
    ("IŞIK lamba", ["\u0131ş\u0131k", "isik", "IŞIK"]),
    ("Große Straße", ["strasse", "STRASSE", "straße"]),
    ("Smørrebrød", ["smorrebrod", "smørre"]),
    ("Łódź", ["lodz", "łódź"]),
    ("苹果手机壳 iPhone15黑色", ["手机壳", "手机", "壳", "苹果手机壳", "iphone15", "黑色", "手机壳 苹果"]),
    ("أحمد", ["احمد", "أحمد"]),
    ("กาแฟเย็น", ["กาแฟ", "เย็น", "กาแฟเย็น"]),
    ("カタカナがある", ["カナ", "がある"]),
    ("Crème Brûlée ﬁne", ["creme", "BRULEE", "fine", "cre\u0300me"]),
    ("ЖЁЛУДЬ", ["желудь", "жёлудь"]),
    ("각설탕", ["각설", "\u1100\u1161\u11a8"]),
]


@pytest.mark.parametrize(("name", "searches"), NAMES, ids=[name for name, _ in NAMES])
async def test_search_finds_what_people_read_as_equal(seller: AsyncClient, name: str, searches: list[str]) -> None:
    assert (await make(seller, name)).status_code == 201
    await make(seller, "Other", category="Other")

    for search in searches:
        found = (await seller.get("/products", params={"search": search})).json()
        assert [item["name"] for item in found["items"]] == [name], search


async def test_categories_and_suppliers_are_searched_and_found_likewise(seller: AsyncClient) -> None:
    await make(seller, "A", category="Küchengeräte 厨房用品", supplier="Łódź Ñandú")

    for search in ("kuchen", "厨房", "用品"):
        assert (await seller.get("/products", params={"search": search})).json()["total"] == 1, search
    assert (await seller.get("/categories", params={"search": "KUCHEN"})).json()["total"] == 1
    assert (await seller.get("/suppliers", params={"search": "lodz nandu"})).json()["total"] == 1
    decomposed = {"category": "Ku\u0308chengera\u0308te 厨房用品"}
    assert (await seller.get("/products", params=decomposed)).json()["total"] == 1


async def test_lists_are_sorted_as_people_read(seller: AsyncClient) -> None:
    names = ["anna", "Bob", "Émile", "Zoe", "อัญชัน"]
    for name in (names[3], names[4], names[2], names[0], names[1]):
        await make(seller, name)
        await seller.post("/suppliers", json={"name": name})
        await seller.post("/categories", json={"name": name})

    for path in ("/products", "/suppliers", "/categories"):
        params: dict[str, Any] = {"sort_by": "name_asc", "page_size": 2}
        listed: list[str] = []
        while params.get("cursor", "") is not None:
            page = (await seller.get(path, params=params)).json()
            listed += [item["name"] for item in page["items"]]
            params["cursor"] = page["next_cursor"]
        assert listed == names, path


async def test_normal_forms_of_one_text_are_equal(seller: AsyncClient) -> None:
    made = await make(seller, "Caf\u00e9", category="Caf\u00e9")
    same = await make(seller, "x", sku="Cafe\u0301")
    other = await make(seller, "x", category="Cafe\u0301")

    assert (same.status_code, same.json()["code"]) == (409, "duplicate_sku")
    assert other.json()["category_id"] == made.json()["category_id"]
    assert (await seller.get("/products/by-sku/cafe\u0301")).json()["id"] == made.json()["id"]
    assert (await seller.post("/categories", json={"name": "cafe\u0301"})).status_code == 409
    spaces = await make(seller, "Tea\u00a0pot", sku="TEA\u2009POT")
    assert (spaces.json()["name"], spaces.json()["sku"]) == ("Tea pot", "TEA POT")


@pytest.mark.parametrize("text", ["X\u200b", "\u2060X", "X\u00ad", "X\u202e", "X\ufeff", "X\u200d"])
async def test_invisible_characters_are_rejected(seller: AsyncClient, text: str) -> None:
    answers = [
        await make(seller, text),
        await make(seller, "x", sku=text),
        await make(seller, "x", category=text),
        await make(seller, "x", barcodes=[text]),
        await seller.post("/suppliers", json={"name": text}),
    ]

    assert [answer.status_code for answer in answers] == [422] * 5
    assert "U+" in answers[0].json()["errors"][0]["message"]


@pytest.mark.parametrize("name", ["각" * 228, "手" * 255, "ก็" * 120, "👩\u200d👩\u200d👧 " * 30])
async def test_long_names_of_every_script_are_stored(seller: AsyncClient, name: str) -> None:
    made = await make(seller, name, sku="S", description=name * 20)

    assert (made.status_code, made.json()["name"]) == (201, name.strip())
    assert (await seller.get("/products", params={"search": name[:200]})).status_code == 200
