"""Files made to keep the parser busy, exhaust memory, or harm the rows around them."""

import asyncio
import io
import time
import zipfile
from typing import Any

import pytest
from httpx2 import AsyncClient
from openpyxl import Workbook

HEADER = (
    '<row r="1"><c r="A1" t="inlineStr"><is><t>sku</t></is></c><c r="B1" t="inlineStr"><is><t>name</t></is></c>'
    '<c r="C1" t="inlineStr"><is><t>unit_price</t></is></c></row>'
)
MAX_SECONDS = 20


def workbook(rows: str, shared_strings: str = "") -> bytes:
    """A workbook whose sheet has these `<row>` elements, and these `<si>` elements as shared strings."""
    template, result = io.BytesIO(), io.BytesIO()
    Workbook().save(template)
    namespace = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    part = (
        '<Override PartName="/xl/sharedStrings.xml" '
        'ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sharedStrings+xml"/></Types>'
    )
    with zipfile.ZipFile(template) as source, zipfile.ZipFile(result, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in source.namelist():
            content = source.read(name).decode()
            if name == "xl/worksheets/sheet1.xml":
                content = f'<worksheet xmlns="{namespace}"><sheetData>{rows}</sheetData></worksheet>'
            elif name == "[Content_Types].xml":
                content = content.replace("</Types>", part)
            archive.writestr(name, content)
        archive.writestr("xl/sharedStrings.xml", f'<sst xmlns="{namespace}">{shared_strings}</sst>')
    return result.getvalue()


FAR_ROW = workbook(HEADER + '<row r="1000000000000"><c r="A1000000000000"><v>1</v></c></row>')
FAR_COLUMN = workbook(HEADER + '<row r="2"><c r="ZZZZZZZZZ2"><v>1</v></c></row>')
MANY_STRINGS = workbook(HEADER, "<si><t/></si>" * 2_500_000)


async def upload(client: AsyncClient, content: bytes, name: str = "x.xlsx") -> Any:
    return await client.post("/products/import", files={"file": (name, content)})


async def finished(client: AsyncClient, job: dict[str, Any]) -> dict[str, Any]:
    async with asyncio.timeout(60):
        while job["state"] not in ("finished", "failed"):
            await asyncio.sleep(0.02)
            job = (await client.get(f"/imports/{job['id']}")).json()
    return job


async def test_workbook_with_far_column_fails_with_its_reason(manager: AsyncClient) -> None:
    answer = await upload(manager, FAR_COLUMN)

    assert answer.status_code == 202, answer.text
    job = await finished(manager, answer.json())
    assert (job["state"], job["created"]) == ("failed", 0)
    assert job["problem"]


async def test_workbook_with_many_shared_strings_is_rejected(manager: AsyncClient) -> None:
    assert len(MANY_STRINGS) < 100_000
    started = time.monotonic()

    answer = await upload(manager, MANY_STRINGS)

    assert (answer.status_code, answer.json()["code"]) == (422, "unreadable_file")
    assert "shared strings" in answer.json()["detail"]
    assert time.monotonic() - started < MAX_SECONDS


async def test_workbook_that_unpacks_to_gigabytes_is_rejected(manager: AsyncClient) -> None:
    content = workbook(HEADER + " " * (129 * 2**20))

    answer = await upload(manager, content)

    assert (answer.status_code, answer.json()["code"]) == (422, "unreadable_file")
    assert "unpacks" in answer.json()["detail"]


async def test_workbook_with_far_row_fails_and_delays_no_other_import(manager: AsyncClient) -> None:
    assert len(FAR_ROW) < 10_000
    started = time.monotonic()
    busy = (await upload(manager, FAR_ROW)).json()
    other = (await upload(manager, b"sku,name,unit_price\nA,A,1\n", "x.csv")).json()

    assert (await finished(manager, other))["created"] == 1
    job = await finished(manager, busy)
    assert (job["state"], job["created"]) == ("failed", 0)
    assert "rows" in job["problem"]
    assert time.monotonic() - started < MAX_SECONDS


async def test_row_with_nul_between_valid_rows_fails_alone(manager: AsyncClient) -> None:
    answer = await upload(manager, b"sku,name,unit_price\nA,A,1\nB,B\0B,1\nB,B,2\n", "x.csv")

    job = await finished(manager, answer.json())

    assert (job["state"], job["created"], job["failed"]) == ("finished", 2, 1)
    errors = await manager.get(job["errors_url"].removeprefix("/api/v1"))
    assert [line.split(",")[-2:] for line in errors.text.splitlines()[1:]] == [["3", "contains a NUL character"]]


@pytest.mark.parametrize("first_line", ["sep=;\r\n", "\ufeffsep=;\n", '"sep=;"\n'])
async def test_first_line_names_the_delimiter(manager: AsyncClient, first_line: str) -> None:
    answer = await upload(manager, f'{first_line}sku;name;unit_price\nA;"Cup, blue, large";1\nB;;1\n'.encode(), "x.csv")

    job = await finished(manager, answer.json())

    assert (job["created"], job["failed"]) == (1, 1)
    assert (await manager.get("/products/by-sku/A")).json()["name"] == "Cup, blue, large"
    errors = await manager.get(job["errors_url"].removeprefix("/api/v1"))
    assert errors.text.splitlines()[1].split(",")[-2] == "4"


NUMBERS = ["0e-50000000", "1e999999", "12_50", "9" * 5000, "1" + "0" * 41, "NaN", "Infinity", "0x10", "١٢"]


@pytest.mark.parametrize("column", ["unit_price", "cost_price", "low_stock_threshold", "quantity"])
async def test_import_limits_numbers_before_conversion(manager: AsyncClient, column: str) -> None:
    rows = "".join(f"S{place},x,1,{number}\n" for place, number in enumerate(NUMBERS))
    header = "sku,name,unit_price," + column
    if column == "unit_price":
        header, rows = "sku,name,unit_price", rows.replace(",1,", ",")

    job = await finished(manager, (await upload(manager, f"{header}\n{rows}".encode(), "x.csv")).json())

    assert (job["state"], job["created"], job["failed"]) == ("finished", 0, len(NUMBERS))
