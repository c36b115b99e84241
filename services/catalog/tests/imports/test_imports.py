"""Imports and exports through the API."""

import asyncio
import csv
import io
import time
from typing import Any

import pytest
from httpx2 import AsyncClient
from openpyxl import Workbook, load_workbook

TIMEOUT_SECONDS = 60


def csv_file(*rows: dict[str, Any]) -> bytes:
    target = io.StringIO()
    writer = csv.DictWriter(target, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    return target.getvalue().encode()


def xlsx_file(*rows: list[Any]) -> bytes:
    workbook = Workbook()
    for row in rows:
        workbook.worksheets[0].append(row)
    target = io.BytesIO()
    workbook.save(target)
    return target.getvalue()


async def start(client: AsyncClient, content: bytes, name: str = "products.csv", **params: Any) -> str:
    answer = await client.post("/products/import", files={"file": (name, content)}, params=params)
    assert answer.status_code == 202, answer.text
    assert answer.headers["location"] == f"/api/v1/imports/{answer.json()['id']}"
    return f"/imports/{answer.json()['id']}"


async def finished(client: AsyncClient, path: str) -> dict[str, Any]:
    deadline = time.monotonic() + TIMEOUT_SECONDS
    while True:
        job: dict[str, Any] = (await client.get(path)).json()
        if job["state"] in ("finished", "failed"):
            return job
        assert time.monotonic() < deadline, job
        await asyncio.sleep(0.02)


async def run(client: AsyncClient, content: bytes, **params: Any) -> dict[str, Any]:
    return await finished(client, await start(client, content, **params))


def counts(job: dict[str, Any]) -> dict[str, Any]:
    names = ("state", "total", "done", "created", "updated", "unchanged", "failed")
    return {name: job[name] for name in names}


async def table(client: AsyncClient, path: str, **params: Any) -> list[dict[str, str]]:
    answer = await client.get(path, params=params)
    assert answer.status_code == 200, answer.text
    return list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"), newline="")))


TEAPOT = {"sku": "TEA-1", "name": "Teapot", "unit_price": "19.90"}


async def test_import_creates_and_updates_products_by_sku(
    service: Any, manager: AsyncClient, seller: AsyncClient
) -> None:
    await seller.post("/suppliers", json={"name": "Acme"})
    old = (await seller.post("/products", json={"sku": "OLD", "name": "Old", "price": 1, "description": "kept"})).json()

    job = await run(
        manager,
        csv_file(
            TEAPOT | {"category": "Tea", "supplier": "acme", "barcodes": "111 222", "quantity": "7", "cost_price": "5"},
            {"sku": "old", "name": "New", "unit_price": "2.5", "category": "tea"},
        ),
    )

    assert counts(job) == {
        "state": "finished",
        "total": 2,
        "done": 2,
        "created": 1,
        "updated": 1,
        "unchanged": 0,
        "failed": 0,
    }
    assert (job["errors_url"], job["problem"]) == (None, None)
    made = (await manager.get("/products/by-sku/TEA-1")).json()
    assert (made["unit_price"], made["cost_price"], made["barcodes"]) == ("19.90", "5.00", ["111", "222"])
    assert (made["category"], made["supplier"]["name"], made["owner_id"]) == ("Tea", "Acme", 2)
    changed = (await manager.get(f"/products/{old['id']}")).json()
    assert (changed["name"], changed["sku"], changed["unit_price"], changed["category"]) == (
        "New",
        "old",
        "2.50",
        "Tea",
    )
    assert (changed["description"], changed["version"], changed["owner_id"]) == ("kept", 2, 5)
    created = [
        event for event in await service.events.wait_for("catalog.product.created", 2) if event["sku"] == "TEA-1"
    ]
    assert [(event["opening_quantity"], event["category"]) for event in created] == [(7, "Tea")]
    assert [event["sku"] for event in await service.events.wait_for("catalog.product.updated")] == ["old"]
    [event] = await service.events.wait_for("catalog.import.finished")
    assert (event["import_id"], event["state"], event["created"], event["updated"]) == (job["id"], "finished", 1, 1)


async def test_import_keeps_the_warehouse_restriction_of_its_user(service: Any, samples: Any) -> None:
    await service.publish(samples.warehouse(1), samples.warehouse(2, "Shop"))
    async with service.client(3, "manager", warehouse_ids=[2]) as restricted:
        rows = [TEAPOT | {"quantity": "7"}, {"sku": "B", "name": "B", "unit_price": "1", "quantity": ""}]
        job = await run(restricted, csv_file(*rows))
        errors = await table(restricted, job["errors_url"].removeprefix("/api/v1"))

        assert counts(job) | {"created": 1, "failed": 1} == counts(job)
        assert [(row["sku"], row["problem"].partition(":")[0]) for row in errors] == [("TEA-1", "quantity")]
        assert (await restricted.get("/products/by-sku/TEA-1")).status_code == 404


async def test_failed_rows_are_reported_and_can_be_corrected(manager: AsyncClient) -> None:
    await manager.post("/products", json={"sku": "TAKEN", "name": "x", "price": 1, "barcodes": ["999"]})
    rows = [
        TEAPOT | {"barcodes": "", "supplier": ""},
        {"sku": "A", "name": "", "unit_price": "1"},
        {"sku": "B", "name": "=SUM(A1)", "unit_price": "cheap"},
        {"sku": "tea-1", "name": "Twice", "unit_price": "1"},
        {"sku": "C", "name": "C", "unit_price": "1", "barcodes": "999"},
        {"sku": "D", "name": "D", "unit_price": "1", "supplier": "#99"},
        {"sku": "E", "name": "E", "unit_price": "1", "barcodes": "5 5"},
        {"sku": "F", "name": "F", "unit_price": "1", "barcodes": "777"},
        {"sku": "G", "name": "G", "unit_price": "1", "barcodes": "777"},
    ]

    job = await run(manager, csv_file(*rows))

    assert counts(job) | {"failed": 7, "created": 2, "done": 9} == counts(job)
    errors = await table(manager, job["errors_url"].removeprefix("/api/v1"))
    assert [(row["row"], row["sku"], row["problem"].partition(":")[0]) for row in errors] == [
        ("3", "A", "name"),
        ("4", "B", "unit_price"),
        ("5", "tea-1", "sku"),
        ("6", "C", "barcodes"),
        ("7", "D", "supplier"),
        ("8", "E", "barcodes"),
        ("10", "G", "barcodes"),
    ]
    assert errors[1]["name"] == "'=SUM(A1)"

    corrections = [
        {"name": "A"},
        {"unit_price": "1"},
        {"sku": "T2"},
        {"barcodes": "998"},
        {"supplier": "New supplier"},
        {"barcodes": "5"},
        {"barcodes": ""},
    ]
    corrected = await run(
        manager, csv_file(*(row | correction for row, correction in zip(errors, corrections, strict=True)))
    )

    assert counts(corrected) | {"created": 7, "failed": 0} == counts(corrected)
    assert (await manager.get("/products/by-sku/B")).json()["name"] == "=SUM(A1)"


async def test_dry_run_reports_the_same_and_changes_nothing(service: Any, manager: AsyncClient) -> None:
    await manager.post("/products", json={"sku": "OLD", "name": "Old", "price": 1})
    content = csv_file(
        *({"sku": f"N{number}", "name": "New", "unit_price": 1, "category": f"C{number % 3}"} for number in range(700)),
        {"sku": "OLD", "name": "Changed", "unit_price": 1, "category": ""},
        {"sku": "n5", "name": "Again", "unit_price": 1, "category": ""},
        {"sku": "BAD", "name": "", "unit_price": 1, "category": ""},
    )

    dry = await run(manager, content, dry_run=True)

    assert counts(dry) == {
        "state": "finished",
        "total": 703,
        "done": 703,
        "created": 700,
        "updated": 1,
        "unchanged": 0,
        "failed": 2,
    }
    assert (await manager.get("/products")).json()["total"] == 1
    assert (await manager.get("/categories")).json()["total"] == 0
    assert (await manager.get("/products/by-sku/OLD")).json()["version"] == 1
    [event] = await service.events.wait_for("catalog.import.finished")
    assert event["dry_run"] is True
    wet = await run(manager, content)
    assert counts(wet) == counts(dry)
    assert len(await service.events.wait_for("catalog.product.created", 701)) == 701


@pytest.mark.parametrize(("field", "parameter"), [("true", None), ("1", "true"), ("", "true"), ("false", None)])
async def test_form_field_has_the_effect_of_the_query_parameter(
    manager: AsyncClient, field: str, parameter: str | None
) -> None:
    params = {} if parameter is None else {"dry_run": parameter}
    files = {"file": ("x.csv", csv_file(TEAPOT))}

    answer = await manager.post("/products/import", files=files, data={"dry_run": field}, params=params)

    assert answer.status_code == 202, answer.text
    job = await finished(manager, f"/imports/{answer.json()['id']}")
    is_dry_run = field != "false"
    assert (job["dry_run"], job["created"]) == (is_dry_run, 1)
    assert (await manager.get("/products")).json()["total"] == (0 if is_dry_run else 1)


@pytest.mark.parametrize(
    ("fields", "params", "wrong"),
    [
        ({"dryrun": "true"}, {}, "dryrun"),
        ({"dry_run": "perhaps"}, {}, "dry_run"),
        ({"dry_run": ["true", "true"]}, {}, "dry_run"),
        ({"dry_run": "true"}, {"dry_run": "false"}, "dry_run"),
    ],
    ids=["unknown", "not a boolean", "twice", "contradiction"],
)
async def test_import_with_invalid_form_field_is_rejected(
    manager: AsyncClient, fields: dict[str, Any], params: dict[str, str], wrong: str
) -> None:
    files = {"file": ("x.csv", csv_file(TEAPOT))}

    answer = await manager.post("/products/import", files=files, data=fields, params=params)

    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, wrong)
    assert (await manager.get("/imports")).json()["total"] == 0


FORMULA_LIKE_TEXTS = [
    "=cmd|' /C calc'!A0",
    "+49 30 1234",
    "-5% today",
    "@home",
    "'quoted",
    "'=double",
    'say "hi", they; said\nand left',
    "Größe Ⅻ 茶 🫖",
    "007",
    "1e5",
    "TRUE",
    "2026-01-31",
    "_x000D_",
    "<b>&amp;",
    "tea;=1+1",
    "tea;'=1+1",
    "tea\n- green\n- black",
]


@pytest.mark.parametrize("file_format", ["csv", "xlsx"])
async def test_import_of_an_export_changes_nothing(manager: AsyncClient, file_format: str) -> None:
    suppliers = [
        (await manager.post("/suppliers", json={"name": name})).json()["id"] for name in ("Acme", "acme", "#7", "Bolt")
    ]
    for number, text in enumerate(FORMULA_LIKE_TEXTS):
        fields = {
            "sku": f"{text.replace(chr(10), ' ')}-{number}"[:100],
            "name": text.replace("\n", " "),
            "description": text if number % 2 else " ",
            "category": text.replace("\n", " ") if number % 3 else None,
            "unit_of_measure": text.replace("\n", " ") if number % 3 else None,
            "unit_price": "12345678901234.5678" if number == 0 else f"{number}.9",
            "cost_price": None if number % 2 else "0.0001",
            "low_stock_threshold": None if number % 2 else 2.5,
            "barcodes": [f"+{number}", f"00{number}"] if number % 2 else [],
            "supplier_id": suppliers[number % 4] if number % 5 else None,
            "is_active": bool(number % 2),
        }
        answer = await manager.post("/products", json=fields)
        assert answer.status_code == 201, answer.text
    before = (await manager.get("/products", params={"page_size": 100})).json()

    exported = await manager.get("/products/export", params={"format": file_format})
    job = await run(manager, exported.content, name=f"x.{file_format}")

    assert counts(job) | {"unchanged": len(FORMULA_LIKE_TEXTS), "created": 0, "updated": 0, "failed": 0} == counts(job)
    assert (await manager.get("/products", params={"page_size": 100})).json() == before
    # Imported into an empty catalogue, it creates the same products.
    for item in before["items"]:
        await manager.delete(f"/products/{item['id']}")
    job = await run(manager, exported.content)
    assert counts(job) | {"created": len(FORMULA_LIKE_TEXTS), "failed": 0} == counts(job)
    after = (await manager.get("/products", params={"page_size": 100})).json()["items"]
    own = {"id", "owner_id", "version", "created_at", "updated_at"}
    assert [{k: v for k, v in item.items() if k not in own} for item in sorted(after, key=lambda i: i["sku"])] == [
        {k: v for k, v in item.items() if k not in own} for item in sorted(before["items"], key=lambda i: i["sku"])
    ]


@pytest.mark.parametrize("file_format", ["csv", "xlsx"])
async def test_export_of_formula_like_texts_contains_no_formula(manager: AsyncClient, file_format: str) -> None:
    for number, text in enumerate(FORMULA_LIKE_TEXTS):
        await manager.post("/products", json={"sku": f"S{number}", "name": text.replace("\n", " "), "price": 1})

    answer = await manager.get("/products/export", params={"format": file_format})

    assert f'.{file_format}"' in answer.headers["content-disposition"]
    if file_format == "csv":
        text = answer.content.decode("utf-8-sig")
        cells = [cell for row in csv.reader(io.StringIO(text, newline="")) for cell in row]
        assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@"))]
    else:
        sheet = load_workbook(io.BytesIO(answer.content)).worksheets[0]
        assert "f" not in {cell.data_type for row in sheet.iter_rows() for cell in row}
        assert not [
            c.value for row in sheet.iter_rows() for c in row if str(c.value or "").startswith(("=", "+", "-", "@"))
        ]


async def test_export_with_filters_contains_matches(manager: AsyncClient) -> None:
    for sku, category in (("A", "Tea"), ("B", "Coffee"), ("C", "Tea")):
        await manager.post("/products", json={"sku": sku, "name": f"Name {sku}", "price": 1, "category": category})

    assert [row["sku"] for row in await table(manager, "/products/export", category="tea")] == ["A", "C"]
    assert [row["sku"] for row in await table(manager, "/products/export", search="name b")] == ["B"]
    assert (await manager.get("/products/export", params={"format": "pdf"})).status_code == 422


async def test_import_of_foreign_xlsx_converts_values(manager: AsyncClient) -> None:
    content = xlsx_file(
        ["SKU", "Name", "Price", "Barcodes", "is active", "quantity"],
        [4711, "Number as SKU", 3.5, 5012345678900, True, 2],
        [None, None, None, None, None, None],
        ["T-1", "Formula", "=1+1", None, None, None],
        ["T-2", "Text", "2,5O", None, "maybe", None],
    )

    job = await run(manager, content)

    assert counts(job) | {"total": 3, "created": 1, "failed": 2} == counts(job)
    made = (await manager.get("/products/by-sku/4711")).json()
    assert (made["unit_price"], made["barcodes"]) == ("3.50", ["5012345678900"])
    report = await manager.get(job["errors_url"].removeprefix("/api/v1"))
    rows = list(load_workbook(io.BytesIO(report.content)).worksheets[0].iter_rows(values_only=True))
    assert rows[0][-2:] == ("row", "problem")
    assert [row[-2] for row in rows[1:]] == ["4", "5"]


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
async def test_import_of_csv_detects_delimiter(manager: AsyncClient, delimiter: str) -> None:
    lines = [["sku", "name", "unit_price"], ["A", '"Tea; with, both"', "1"]]
    content = "\ufeff" + "\r\n".join(delimiter.join(line) for line in lines)

    job = await run(manager, content.encode())

    assert counts(job) | {"created": 1} == counts(job)
    assert (await manager.get("/products/by-sku/A")).json()["name"] == "Tea; with, both"


@pytest.mark.parametrize(
    "content",
    [
        b"description,unit_price\nx,1\n",
        b"sku,name,colour\nx,y,z\n",
        b"sku,sku\nx,y\n",
        b"PK\x03\x04 broken",
        b"\xd0\xcf\x11\xe0 old Excel",
        b"",
    ],
    ids=["no sku", "unknown column", "twice", "broken xlsx", "xls", "empty"],
)
async def test_import_of_unreadable_file_is_rejected(manager: AsyncClient, content: bytes) -> None:
    answer = await manager.post("/products/import", files={"file": ("x.csv", content)})

    assert answer.status_code == 422
    assert (await manager.get("/imports")).json()["total"] == 0


async def test_import_with_unprintable_file_name_is_accepted(manager: AsyncClient) -> None:
    form = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a\0\xff.csv"\r\n\r\n'
    answer = await manager.post(
        "/products/import",
        content=form + csv_file(TEAPOT) + b"\r\n--x--\r\n",
        headers={"Content-Type": "multipart/form-data; boundary=x"},
    )

    assert (answer.status_code, answer.json()["file_name"]) == (202, "aÿ.csv")


async def test_import_with_repeated_key_returns_same_job(manager: AsyncClient) -> None:
    async def send(**params: Any) -> Any:
        files = {"file": ("x.csv", csv_file(TEAPOT))}
        return await manager.post("/products/import", files=files, params=params, headers={"Idempotency-Key": "k"})

    first, again, other = await send(dry_run=True), await send(dry_run=True), await send()

    assert first.request.headers["content-type"] != again.request.headers["content-type"]
    assert (again.status_code, again.json()["id"]) == (202, first.json()["id"])
    assert again.headers["idempotent-replayed"] == "true"
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")


async def test_import_list_pages_by_number_and_cursor(manager: AsyncClient) -> None:
    paths = [await start(manager, csv_file(TEAPOT), dry_run=True) for _ in range(3)]

    first = (await manager.get("/imports", params={"page_size": 2})).json()
    for params in ({"page": 2}, {"cursor": first["next_cursor"]}):
        rest = (await manager.get("/imports", params={"page_size": 2, **params})).json()
        shown = [f"/imports/{job['id']}" for job in first["items"] + rest["items"]]
        assert (shown, rest["total"], rest["next_cursor"]) == (paths[::-1], 3, None)


async def test_import_of_damaged_file_changes_nothing(manager: AsyncClient) -> None:
    content = (
        csv_file(*({"sku": f"S{n}", "name": "x", "unit_price": 1} for n in range(5000))) + b'BAD,"never closed,1\n'
    )

    job = await run(manager, content)

    assert (job["state"], job["done"], job["created"]) == ("failed", 0, 0)
    assert "CSV" in job["problem"]
    assert (await manager.get("/products")).json()["total"] == 0


async def test_imports_by_salesperson_are_forbidden(service: Any, seller: AsyncClient, manager: AsyncClient) -> None:
    refused = await seller.post("/products/import", files={"file": ("x.csv", csv_file(TEAPOT))})
    assert refused.status_code == 403
    path = await start(manager, csv_file(TEAPOT))
    for private in (path, "/imports", f"{path}/errors"):
        assert (await seller.get(private)).status_code == 403
    assert (await manager.get("/imports/999")).json()["code"] == "unknown_import"
    assert (await manager.get("/imports/999/errors")).status_code == 404


async def test_import_of_too_large_file_is_rejected(manager: AsyncClient) -> None:
    answer = await manager.post("/products/import", files={"file": ("x.csv", b"x" * (10 * 1024 * 1024 + 1))})

    assert answer.status_code == 413


async def test_imports_with_two_replicas_run_once(start: Any) -> None:
    replicas = [await start(), await start()]
    async with replicas[0].client(2, "manager") as manager:
        paths = []
        for job in range(4):
            rows = ({"sku": f"J{job}-{n}", "name": "x", "unit_price": 1} for n in range(600))
            answer = await manager.post("/products/import", files={"file": ("x.csv", csv_file(*rows))})
            paths.append(f"/imports/{answer.json()['id']}")

        jobs = [await finished(manager, path) for path in paths]

        assert [(job["state"], job["created"]) for job in jobs] == [("finished", 600)] * 4
        assert (await manager.get("/products")).json()["total"] == 2400
    deadline = time.monotonic() + TIMEOUT_SECONDS
    while (published := sum(replica.events.count("catalog.product.created") for replica in replicas)) < 2400:
        assert time.monotonic() < deadline
        await asyncio.sleep(0.02)
    assert published == 2400


async def test_import_of_stopped_replica_is_continued_by_another(start: Any, issuer: Any) -> None:
    first = await start()
    content = csv_file(*({"sku": f"S{n}", "name": "x", "unit_price": 1} for n in range(4000)))
    async with first.client(2, "manager") as manager:
        answer = await manager.post("/products/import", files={"file": ("x.csv", content)})
        path = f"/imports/{answer.json()['id']}"
        while not 0 < (await manager.get(path)).json()["done"] < 4000:
            await asyncio.sleep(0.005)
        await first.stop()
    second = await start()
    async with second.client(2, "manager") as manager:
        job = await finished(manager, path)
        assert counts(job) | {"state": "finished", "done": 4000, "created": 4000, "updated": 0} == counts(job)
        assert (await manager.get("/products")).json()["total"] == 4000
