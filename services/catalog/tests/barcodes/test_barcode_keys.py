"""Barcodes as scanners and people spell them: one code is found and unique in every spelling."""

from urllib.parse import quote

import pytest
from httpx2 import AsyncClient

SPELLINGS = [
    ("978-0-306-40615-7", "9780306406157"),
    ("9780306406157", "978-0306406157"),
    ("0-306-40615-x", "030640615X"),
    ("012345678905", "0012345678905"),
    ("4006381333931", "04006381333931"),
    ("96385074", "00000096385074"),
    ("abc-1", "ABC-1"),
    ("4006381333931", "4006381333931\r\n"),
    ("4006381333931", " 4006381333931\t"),
]


@pytest.mark.parametrize(("stored", "scanned"), SPELLINGS)
async def test_barcode_is_found_and_unique_in_every_spelling(seller: AsyncClient, stored: str, scanned: str) -> None:
    made = await seller.post("/products", json={"name": "A", "sku": "A", "price": 1, "barcodes": [stored]})
    assert (made.status_code, made.json()["barcodes"]) == (201, [stored])

    found = await seller.get(f"/products/by-barcode/{quote(scanned, safe='')}")
    other = await seller.post("/products", json={"name": "B", "sku": "B", "price": 1, "barcodes": [scanned]})
    renamed = await seller.patch(f"/products/{made.json()['id']}", json={"barcodes": [scanned]})

    assert (found.status_code, found.json().get("id")) == (200, made.json()["id"])
    assert (other.status_code, other.json()["code"]) == (409, "duplicate_barcode")
    assert renamed.json()["barcodes"] == [scanned.strip()]
    assert (await seller.get(f"/products/by-barcode/{quote(stored, safe='')}")).status_code == 200


@pytest.mark.parametrize(("stored", "scanned"), [("AB-1", "AB1"), ("1-2345678", "12345678"), ("123", "0123")])
async def test_other_codes_differ(seller: AsyncClient, stored: str, scanned: str) -> None:
    await seller.post("/products", json={"name": "A", "sku": "A", "price": 1, "barcodes": [stored]})

    assert (await seller.get(f"/products/by-barcode/{scanned}")).status_code == 404


async def test_two_spellings_of_one_barcode_are_rejected(seller: AsyncClient) -> None:
    twice = {"name": "A", "sku": "A", "price": 1, "barcodes": ["978-0-306-40615-7", "1", "9780306406157"]}

    created = await seller.post("/products", json=twice)
    made = (await seller.post("/products", json=twice | {"barcodes": []})).json()
    updated = await seller.patch(f"/products/{made['id']}", json={"barcodes": ["4006381333931", "04006381333931"]})

    for answer in (created, updated):
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "barcodes")
