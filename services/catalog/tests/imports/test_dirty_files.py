"""Files as people's programs write them: encodings, delimiters, formats of cells and numbers."""

import asyncio
import csv
import io
import zipfile
from datetime import date
from typing import Any

import pytest
from httpx2 import AsyncClient
from openpyxl import Workbook, load_workbook

TIMEOUT_SECONDS = 60


def workbook(*rows: list[Any], formats: dict[str, str] | None = None) -> bytes:
    """A workbook with number formats by the coordinates of cells."""
    book = Workbook()
    for row in rows:
        book.worksheets[0].append(row)
    for coordinate, number_format in (formats or {}).items():
        book.worksheets[0][coordinate].number_format = number_format
    target = io.BytesIO()
    book.save(target)
    return target.getvalue()


async def run(client: AsyncClient, content: bytes, **params: Any) -> dict[str, Any]:
    answer = await client.post("/imports", files={"file": ("x", content)}, params=params)
    assert answer.status_code == 202, answer.text
    job: dict[str, Any] = answer.json()
    async with asyncio.timeout(TIMEOUT_SECONDS):
        while job["state"] not in ("finished", "failed"):
            await asyncio.sleep(0.02)
            job = (await client.get(f"/imports/{job['id']}")).json()
    return job


async def stored(client: AsyncClient) -> dict[str, dict[str, Any]]:
    items = (await client.get("/products", params={"page_size": 100})).json()["items"]
    return {item["sku"]: item for item in items}


async def problems_of(client: AsyncClient, job: dict[str, Any]) -> dict[str, str]:
    """The problems by row number."""
    answer = await client.get(f"/imports/{job['id']}/errors")
    if job["format"] == "csv":
        rows = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"), newline="")))
        return {row["row"]: row["problem"] for row in rows}
    sheet = load_workbook(io.BytesIO(answer.content)).worksheets[0]
    return {str(row[-2]): str(row[-1]) for row in list(sheet.iter_rows(values_only=True))[1:]}


async def test_workbook_cells_are_read_as_displayed(manager: AsyncClient) -> None:
    content = workbook(
        ["sku", "name", "unit_price", "cost_price", "barcodes", "quantity", "is_active"],
        ["A", "Zeros", 0.30000000000000004, 1234.5, 12345678905, 2, True],
        ["B", "Currency", 5.99, 12.346, 4006381333931, 0.5, False],
        ["C", date(2026, 3, 1), 1, None, None, None, None],
        [date(2026, 3, 1), "Date as SKU", 1, None, None, None, None],
        ["E", "#N/A", 1, None, None, None, None],
        ["F", "Percent", 0.5, None, None, None, None],
        formats={"E2": "000000000000", "C2": "0.00", "D2": '#,##0.00\\ "€"', "D3": "0.00", "F2": "0.000", "C7": "0%"},
    )

    job = await run(manager, content)

    products = await stored(manager)
    assert (job["created"], job["failed"]) == (2, 4)
    assert (products["A"]["unit_price"], products["A"]["cost_price"]) == ("0.30", "1234.50")
    assert products["A"]["barcodes"] == ["012345678905"]
    assert (products["B"]["unit_price"], products["B"]["cost_price"]) == ("5.99", "12.35")
    assert (products["B"]["barcodes"], products["B"]["is_active"]) == (["4006381333931"], False)
    problems = await problems_of(manager, job)
    assert {row: problem.partition(":")[0] for row, problem in problems.items()} == {
        "4": "name",
        "5": "sku",
        "6": "name",
        "7": "unit_price",
    }
    assert "2026-03-01" in problems["5"]
    assert "#N/A" in problems["6"]


def with_stored_results(content: bytes, results: dict[str, str]) -> bytes:
    """The workbook as Excel saves it: with the result of each formula, which openpyxl does not write."""
    target = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as source, zipfile.ZipFile(target, "w") as archive:
        for name in source.namelist():
            part = source.read(name).decode()
            for formula, result in results.items():
                part = part.replace(f"<f>{formula}</f><v />", f"<f>{formula}</f><v>{result}</v>")
                part = part.replace(f"<f>{formula}</f><v></v>", f"<f>{formula}</f><v>{result}</v>")
            archive.writestr(name, part)
    return target.getvalue()


async def test_formula_has_the_result_that_is_displayed(manager: AsyncClient) -> None:
    content = workbook(
        ["sku", "name", "unit_price", "barcodes"],
        ["A", "Sum", "=0.1+0.2", "=B9"],
        ["B", "Never calculated", "=0.1+0.5", None],
        formats={"C2": "0.00", "C3": "0.00", "D2": "000000000000"},
    )
    job = await run(manager, with_stored_results(content, {"0.1+0.2": "0.30000000000000004", "B9": "12345678905"}))

    assert (job["created"], job["failed"]) == (1, 1), job
    product = (await stored(manager))["A"]
    assert (product["unit_price"], product["barcodes"]) == ("0.30", ["012345678905"])
    assert "unit_price" in (await problems_of(manager, job))["3"]


async def test_codes_that_a_spreadsheet_has_damaged_are_rejected(manager: AsyncClient) -> None:
    rows = ["A,x,1,8.71E+12", "B,x,1,'4006381333931", "'007,x,1,", "8.71E+12,x,1,", "1e5,x,1,"]
    content = "\n".join(["sku,name,unit_price,barcodes", *rows]).encode()

    job = await run(manager, content)

    products = await stored(manager)
    assert sorted(products) == ["007", "1e5", "B"]
    assert products["B"]["barcodes"] == ["4006381333931"]
    problems = await problems_of(manager, job)
    assert sorted(problems) == ["2", "5"]
    assert "8.71E+12" in problems["2"]
    assert "format text" in problems["2"]


NUMBERS = [
    (["12,50", "1,234"], {}, ["12.50", "1.234"]),
    (["12,50", "3,000"], {"decimal_separator": ","}, ["12.50", "3.00"]),
    (["1.234,56", "1.234"], {}, ["1234.56", "1234.00"]),
    (["1,234.56", "1,234"], {}, ["1234.56", "1234.00"]),
    (["$5.99", "€ 1 234,50", "CHF 1'250.00", "7 kr"], {}, ["5.99", "1234.50", "1250.00", "7.00"]),
    (["1,234", "5"], {}, [None, "5.00"]),
    (["1,234"], {"decimal_separator": "."}, ["1234.00"]),
    (["1.234", "16.510000"], {}, ["1.234", "16.51"]),
    (["1.5", "1.2.3", "1,2,3", "5 %"], {}, ["1.50", None, None, None]),
]


@pytest.mark.parametrize(("numbers", "params", "expected"), NUMBERS, ids=[" ".join(n[0]) for n in NUMBERS])
async def test_numbers_are_parsed_where_their_format_is_obvious(
    manager: AsyncClient, numbers: list[str], params: dict[str, str], expected: list[str | None]
) -> None:
    target = io.StringIO()
    writer = csv.writer(target)
    writer.writerow(["sku", "name", "unit_price"])
    writer.writerows([f"S{place}", "x", number] for place, number in enumerate(numbers))

    job = await run(manager, target.getvalue().encode(), **params)

    products = await stored(manager)
    assert [products.get(f"S{place}", {}).get("unit_price") for place in range(len(numbers))] == expected
    if "1,234" in numbers and None in expected:
        assert any("decimal_separator" in problem for problem in (await problems_of(manager, job)).values())


HEADER = "sku;name;unit_price\r\n"


@pytest.mark.parametrize(
    "content",
    [
        ("\ufeff\ufeff" + HEADER + "A;Thé;1\r\n").encode(),
        (HEADER + "A;Thé;1\r\n").encode("cp1252"),
        (HEADER + "A;Thé;1\r\n").encode("utf-16"),
        ("\ufeffsep=|\n" + HEADER.replace(";", "|") + "A|Thé|1\r\n").encode(),
        (HEADER.replace("\r\n", ";;\r\n") + "A;Thé;1;;\r\n").encode(),
        ("sku;;name;unit_price\nA;;Thé;1" + ";" * 300).encode(),
    ],
    ids=["two marks", "windows", "utf-16", "separator line", "formatted columns", "blank header and many cells"],
)
async def test_encodings_and_blank_cells_are_accepted(manager: AsyncClient, content: bytes) -> None:
    job = await run(manager, content)

    assert (job["state"], job["created"], job["failed"]) == ("finished", 1, 0)
    assert (await stored(manager))["A"]["name"] == "Thé"


async def test_unclosed_quote_names_the_row_and_the_remedy(manager: AsyncClient) -> None:
    job = await run(manager, (HEADER + 'A;"Teapot;1\nB;x;1\n').encode())

    assert (job["state"], job["created"]) == ("failed", 0)
    assert "Row 2" in job["problem"]
    assert "quotation mark" in job["problem"]


async def test_damaged_letters_name_the_remedy(manager: AsyncClient) -> None:
    content = (HEADER + "A;Thé;1\n").encode() + b"B;Th\xe9;1\n"

    answer = await manager.post("/imports", files={"file": ("x.csv", content)})

    assert (answer.status_code, answer.json()["code"]) == (422, "unreadable_file")
    assert "save the file as CSV UTF-8" in answer.json()["detail"]


async def test_row_with_more_cells_than_the_header_fails_alone(manager: AsyncClient) -> None:
    job = await run(manager, b"sku,name,unit_price\nA,Apple Computer, Inc,1\nB,x,2\n")

    assert (job["created"], job["failed"]) == (1, 1)
    assert "more cells" in (await problems_of(manager, job))["2"]


async def test_old_excel_file_is_rejected_with_the_remedy(manager: AsyncClient) -> None:
    answer = await manager.post("/imports", files={"file": ("x.xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600))})

    assert (answer.status_code, answer.json()["code"]) == (422, "unreadable_file")
    assert ".xlsx" in answer.json()["detail"]


async def test_export_that_excel_has_saved_imports_again(manager: AsyncClient) -> None:
    """Excel in a German locale: semicolons, decimal commas, translated booleans and Windows-1252."""
    fields = {"name": "Käse 1,5 kg", "price": "1234.5", "cost_price": "7.25", "is_active": False, "category": "Café"}
    await manager.post("/products", json=fields | {"sku": "A", "barcodes": ["400638133"], "low_stock_threshold": 2.5})
    await manager.post("/products", json=fields | {"sku": "B", "is_active": True})
    exported = (await manager.get("/products/export")).content
    assert exported.startswith(b"\xef\xbb\xbfsku,")

    target = io.StringIO()
    writer = csv.writer(target, delimiter=";")
    for row in csv.reader(io.StringIO(exported.decode("utf-8-sig"), newline="")):
        cells = [{"true": "WAHR", "false": "FALSCH"}.get(cell, cell) for cell in row]
        writer.writerow([cell.replace(".", ",") if cell.replace(".", "").isdigit() else cell for cell in cells])
    job = await run(manager, target.getvalue().encode("cp1252"))

    assert (job["unchanged"], job["failed"], job["updated"]) == (2, 0, 0)


async def test_two_spellings_of_a_barcode_in_one_row_fail_alone(manager: AsyncClient) -> None:
    content = b"sku,name,unit_price,barcodes\nA,x,1,4006381333931 04006381333931\nB,x,1,4006381333931\n"

    job = await run(manager, content)

    assert (job["created"], job["failed"]) == (1, 1)
    assert "twice" in (await problems_of(manager, job))["2"]
