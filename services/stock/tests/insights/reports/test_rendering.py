"""Report files: exact amounts, escaped formulas, file names."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

import pytest
from openpyxl import load_workbook

from stockbuddy.chassis.access.roles import Role
from stockbuddy.chassis.spreadsheets import unescape_csv_text

if TYPE_CHECKING:
    from services.stock.tests.conftest import Shop

FORMULAS = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "＝1"]  # noqa: RUF001


async def fetched(shop: Shop, wanted: str) -> tuple[bytes, str]:
    answer = await shop.caller(5, Role.MANAGER).call("GET", "/reports/inventory-valuation", params={"format": wanted})
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-disposition"] == f'attachment; filename="inventory-valuation.{wanted}"'
    return answer.content, answer.headers["content-type"]


async def test_csv_contains_exact_amounts(shop: Shop) -> None:
    await shop.product(2.5, sku="TEA", name='Tea, "green"', cost_price="1.2345")
    content, media_type = await fetched(shop, "csv")
    assert media_type == "text/csv; charset=utf-8"
    assert content.decode().splitlines()[0].startswith("product_id,sku,name,category,warehouse,quantity,")
    [row] = csv.DictReader(io.StringIO(content.decode()))
    assert (row["name"], row["category"], row["quantity"]) == ('Tea, "green"', "", "2.5")
    assert (row["unit_cost"], row["value"]) == ("1.2345", "3.0863")


async def test_xlsx_contains_numbers_and_parameters(shop: Shop) -> None:
    await shop.product(2.5, sku="TEA", name="Tea\x07", cost_price="1.2345")
    content, media_type = await fetched(shop, "xlsx")
    assert media_type == "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    book = load_workbook(io.BytesIO(content))
    sheet = book["inventory-valuation"]
    header, row = ([cell.value for cell in cells] for cells in sheet.iter_rows())
    values = dict(zip(header, row, strict=True))
    assert (values["name"], values["quantity"], values["unit_cost"], values["value"]) == ("Tea", 2.5, 1.2345, 3.0863)
    about = list(book["about"].iter_rows(values_only=True))
    assert about == [("method", "average"), ("total quantity", 2.5), ("total value", 3.0863)]


@pytest.mark.parametrize("name", FORMULAS)
async def test_text_that_begins_like_formula_is_escaped(shop: Shop, name: str) -> None:
    await shop.product(1, sku=f"{name.strip()}SKU", name=name, category=name, cost_price="1")
    [row] = csv.DictReader(io.StringIO((await fetched(shop, "csv"))[0].decode()))
    book = load_workbook(io.BytesIO((await fetched(shop, "xlsx"))[0]))
    cells = book["inventory-valuation"][2]
    for text, cell in ((row["sku"], cells[1]), (row["name"], cells[2]), (row["category"], cells[3])):
        assert text.startswith("'")
        assert cell.value == unescape_csv_text(text)
        assert cell.data_type == "s"


@pytest.mark.parametrize("name", ["Tea;=1+1", 'Tea, "green";"=1+1"', "Tea,\n-1", "Tea\t@SUM(A1)"])
async def test_text_is_no_formula_where_semicolons_separate_cells(shop: Shop, name: str) -> None:
    await shop.product(1, name=name, cost_price="1")
    content = (await fetched(shop, "csv"))[0].decode()
    cells = [cell for line in content.splitlines() for part in line.split(";") for cell in part.split("\t")]
    assert not [cell for cell in cells if cell.strip('"').startswith(("=", "-", "@"))]


async def test_report_unchanged_returns_304(shop: Shop) -> None:
    await shop.product(1, cost_price="1")
    first = await shop.admin.call("GET", "/reports/inventory-valuation")
    again = await shop.admin.call(
        "GET", "/reports/inventory-valuation", headers={"If-None-Match": first.headers["etag"]}
    )
    assert again.status_code == 304
