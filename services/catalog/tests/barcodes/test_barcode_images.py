"""Barcodes as SVG."""

import xml.etree.ElementTree as ET
from typing import Any

import pytest
from httpx2 import AsyncClient

from stockbuddy.catalog.barcodes.symbols import is_ean13


async def make(client: AsyncClient, **fields: Any) -> str:
    answer = await client.post("/products", json={"name": "Cup", "sku": "CUP-1", "price": 1} | fields)
    assert answer.status_code == 201, answer.text
    return f"/products/{answer.json()['id']}/barcode.svg"


def bars(svg: bytes) -> int:
    root = ET.fromstring(svg)  # noqa: S314
    return len(root.findall(".//{http://www.w3.org/2000/svg}rect"))


@pytest.mark.parametrize(
    ("code", "valid"),
    [("4006381333931", True), ("4006381333932", False), ("400638133393", False), ("\uff14006381333931", False)],
)
def test_ean13_with_wrong_check_digit_is_invalid(code: str, valid: bool) -> None:
    assert is_ean13(code) is valid


async def test_barcode_of_valid_ean13_is_ean13_otherwise_code_128(seller: AsyncClient) -> None:
    path = await make(seller, barcodes=["4006381333931", "4006381333932"])

    ean = await seller.get(path)
    other = await seller.get(path, params={"code": "4006381333932"})

    assert ean.headers["content-type"] == other.headers["content-type"] == "image/svg+xml"
    assert b"4006381333931" in ean.content
    assert b"4006381333932" in other.content
    # An EAN-13 has 30 bars; a Code 128 of 13 digits has other numbers of them. One more is the background.
    assert bars(ean.content) == 31
    assert bars(other.content) != 31


async def test_bars_have_the_nominal_width_and_white_space_beside_them(seller: AsyncClient) -> None:
    root = ET.fromstring((await seller.get(await make(seller, barcodes=["4006381333931"]))).content)  # noqa: S314
    _, *drawn = root.findall(".//{http://www.w3.org/2000/svg}rect")
    assert {bar.attrib["width"] for bar in drawn} == {"0.330mm", "0.660mm", "0.990mm", "1.320mm"}
    assert drawn[0].attrib["x"] == "3.630mm"
    assert root.attrib["width"] == "38.610mm"  # 95 modules and twice 11


async def test_barcode_of_product_without_barcodes_is_its_sku(seller: AsyncClient) -> None:
    assert b"CUP-1" in (await seller.get(await make(seller))).content


async def test_unprintable_barcode_is_not_found(seller: AsyncClient) -> None:
    unprintable = await make(seller, sku="\u0422\u0410\u0421\u0421")
    for path, params, code in (
        (unprintable, {}, "no_barcode"),
        (unprintable, {"code": "other"}, "no_barcode"),
        ("/products/999/barcode.svg", {}, "unknown_product"),
    ):
        answer = await seller.get(path, params=params)
        assert (answer.status_code, answer.json()["code"]) == (404, code)


async def test_barcode_with_markup_is_escaped(seller: AsyncClient) -> None:
    svg = (await seller.get(await make(seller, barcodes=["<script>"]))).content

    assert b"<script>" not in svg
    assert "<script>" in "".join(ET.fromstring(svg).itertext())  # noqa: S314
