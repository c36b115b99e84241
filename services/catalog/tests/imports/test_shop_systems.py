"""Imports of the exports of other shop systems: recognised headers, variants, mappings and previews.

The files have the headers and the dirt of real exports, with made-up goods.
"""

import asyncio
import csv
import io
from typing import Any

import pytest
from httpx2 import AsyncClient

TIMEOUT_SECONDS = 60

SHOPIFY = (
    b"Handle,Title,Body (HTML),Vendor,Type,Tags,Published,Option1 Name,Option1 Value,Option2 Name,Option2 Value,"
    b"Variant SKU,Variant Grams,Variant Inventory Qty,Variant Price,Variant Barcode,Image Src,Cost per item,Status\n"
    b't-shirt,T-Shirt,"<p>Soft, ""warm""</p>",Acme,Shirts,men,true,Colour,Red,Size,M,,0,3,19.90,'
    b"'4006381333931,a.jpg,7,active\n"
    b"t-shirt,,,,,,,,Blue,,L,TS-BLUE-L,0,,21,,b.jpg,,\n"
    b"t-shirt,,,,,,,,,,,,,,,,c.jpg,,\n"
    b"mug,Mug,,Acme,,,true,Title,Default Title,,,,0,1,5,,,,draft\n"
)
WOOCOMMERCE = (
    "\ufeffID,Tipo,REF,Nome,Publicado,Descrição curta,Descrição,Estoque,Preço promocional,Preço,Categorias,"
    "Produto ascendente,Nome do atributo 1,Valores do atributo 1\n"
    '10,variable,,Camiseta,1,Curta,,,,,"Roupas, Roupas > Camisetas",,Cor,"Azul, Preto"\n'
    '11,variation,CAM-AZ,"Camiseta - Azul",1,,,5,,"1.049,90",,id:10,Cor,Azul\n'
    '12,"variation, virtual",,"Camiseta - Preto",1,,,,,"49,90",,id:10,Cor,Preto\n'
    "13,grouped,,Conjunto,1,,,,,,,,,\n"
    '14,simple,CAN,Caneca,1,,Louça,2,,"12,50",Cozinha,,Cor,Azul\n'
).encode()
PRESTASHOP = (
    b"id;Active (0/1);Name*;Categories (x,y,z,...);Price tax excl.;Wholesale price;Reference #;Supplier;EAN13;UPC;"
    b"Quantity;Short description;Description;Image URLs (x,y,z,...)\r\n"
    b"7;1;Player;Home, Audio;49.500000;;R-1;Acme;;;8;Short;Long;http://a/1.jpg, http://a/2.jpg;\r\n"
    b"8;0;Headphones;Home, Audio;9;1;R-2;Acme;4006381333931;;;Short;;;"
)
COMBINATIONS = (
    b"Product ID*;Options (Group:Value)*;Reference;EAN13;UPC;Wholesale price;Price;Quantity;Default\r\n"
    b'7;"Colour:Blue, Disk:16GB";R-9;;;;41;50;\r\n'
    b'7;"Colour:Pink, Disk:8GB";R-9;;;;;;\r\n'
    b'99;"Colour:Pink";R-10;;;;;;'
)
SUPPLIERS = b"id;Active (0/1);Name*;Description;Short description;Meta-title\r\n1;1;Acme;;;\r\n2;1;Bolt;;;\r\n"
SQUARE = (
    b"Token,Item Name,Variation Name,SKU,Description,Category,Price,GTIN,Current Quantity Main St,"
    b"Current Quantity East\n"
    b"A1,Latte,Small,L-S,Hot,Drinks,$3.50,,4,9\nA2,Latte,Large,,Hot,Drinks,4.25,,,\nA3,Bagel,Regular,B,,Food,2,,,\n"
)
ODOO = (
    b"External ID,Internal Reference,Name,Variant Values,Sales Price,Cost,Product Category,Barcode,Quantity On Hand\n"
    b"__export__.1,CH-R,Chair,Color: Red,70.0,34.5,All / Saleable / Furniture,4006381333931.0,2\n"
    b"__export__.2,,Desk,,140.0,,All,,\n"
)


async def finished(client: AsyncClient, answer: Any) -> dict[str, Any]:
    assert answer.status_code == 202, answer.text
    job: dict[str, Any] = answer.json()
    async with asyncio.timeout(TIMEOUT_SECONDS):
        while job["state"] not in ("finished", "failed"):
            await asyncio.sleep(0.02)
            job = (await client.get(f"/imports/{job['id']}")).json()
    return job


async def run(client: AsyncClient, content: bytes, **params: Any) -> dict[str, Any]:
    return await finished(client, await client.post("/imports", files={"file": ("x.csv", content)}, params=params))


async def stored(client: AsyncClient) -> dict[str, dict[str, Any]]:
    items = (await client.get("/products", params={"page_size": 100})).json()["items"]
    return {item["sku"]: item for item in items}


async def errors_of(client: AsyncClient, job: dict[str, Any]) -> list[dict[str, str]]:
    answer = await client.get(job["errors_url"].removeprefix("/api/v1"))
    return list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"), newline="")))


def counts(job: dict[str, Any]) -> tuple[Any, ...]:
    return tuple(job[name] for name in ("system", "created", "updated", "failed", "skipped"))


async def test_shopify_variants_become_products(service: Any, manager: AsyncClient) -> None:
    job = await run(manager, SHOPIFY)

    assert counts(job) == ("shopify", 3, 0, 0, 1)
    assert {"column": "Variant Grams", "field": None} in job["mapping"]
    products = await stored(manager)
    assert {sku: (p["name"], p["unit_price"], p["is_active"]) for sku, p in products.items()} == {
        "t-shirt-red-m": ("T-Shirt / Red / M", "19.90", True),
        "TS-BLUE-L": ("T-Shirt / Blue / L", "21.00", True),
        "mug": ("Mug", "5.00", False),
    }
    shirt = products["t-shirt-red-m"]
    assert (shirt["supplier"]["name"], shirt["category"], shirt["cost_price"]) == ("Acme", "Shirts", "7.00")
    assert (shirt["barcodes"], shirt["description"]) == (["4006381333931"], '<p>Soft, "warm"</p>')
    assert products["TS-BLUE-L"]["description"] == shirt["description"]
    created = await service.events.wait_for("catalog.product.created", 3)
    assert {event["sku"]: event["opening_quantity"] for event in created}["t-shirt-red-m"] == 3


async def test_woocommerce_variations_are_named_after_their_parent(manager: AsyncClient) -> None:
    job = await run(manager, WOOCOMMERCE)

    assert counts(job) == ("woocommerce", 3, 0, 0, 2)
    products = await stored(manager)
    assert {sku: (p["name"], p["unit_price"], p["category"]) for sku, p in products.items()} == {
        "CAM-AZ": ("Camiseta / Azul", "1049.90", "Camisetas"),
        "camiseta-preto": ("Camiseta / Preto", "49.90", "Camisetas"),
        "CAN": ("Caneca", "12.50", "Cozinha"),
    }
    assert (products["CAM-AZ"]["description"], products["CAN"]["description"]) == ("Curta", "Louça")


async def test_prestashop_combinations_follow_their_products(manager: AsyncClient) -> None:
    assert counts(await run(manager, SUPPLIERS)) == ("prestashop_suppliers", 2, 0, 0, 0)
    assert counts(await run(manager, PRESTASHOP)) == ("prestashop", 2, 0, 0, 0)
    job = await run(manager, COMBINATIONS)

    assert counts(job) == ("prestashop_combinations", 2, 0, 1, 0)
    products = await stored(manager)
    assert {sku: (p["name"], p["unit_price"]) for sku, p in products.items()} == {
        "R-1": ("Player", "49.50"),
        "R-2": ("Headphones", "9.00"),
        "r-9-blue-16gb": ("Player / Blue / 16GB", "90.50"),
        "r-9-pink-8gb": ("Player / Pink / 8GB", "49.50"),
    }
    assert (products["R-1"]["category"], products["R-1"]["description"]) == ("Audio", "Long")
    assert (products["R-2"]["is_active"], products["R-2"]["barcodes"]) == (False, ["4006381333931"])
    assert (await manager.get("/suppliers")).json()["total"] == 2
    [error] = await errors_of(manager, job)
    assert (error["row"], "99" in error["problem"]) == ("4", True)


async def test_square_and_odoo_are_recognised(manager: AsyncClient) -> None:
    assert counts(await run(manager, SQUARE)) == ("square", 3, 0, 0, 0)
    assert counts(await run(manager, ODOO)) == ("odoo", 2, 0, 0, 0)

    products = await stored(manager)
    assert {sku: p["name"] for sku, p in products.items()} == {
        "L-S": "Latte / Small",
        "latte-large": "Latte / Large",
        "B": "Bagel",
        "CH-R": "Chair / Red",
        "desk": "Desk",
    }
    assert (products["L-S"]["unit_price"], products["CH-R"]["category"]) == ("3.50", "Furniture")
    assert products["CH-R"]["barcodes"] == ["4006381333931"]


async def test_second_import_updates_the_same_products(service: Any, manager: AsyncClient) -> None:
    await run(manager, SHOPIFY)
    without_stock = {"mapping": '{"Variant Inventory Qty": null}'}

    again = await run(manager, SHOPIFY.replace(b",21,", b",22,"), **without_stock)
    refused = await run(manager, SHOPIFY)
    adjusted = await run(manager, SHOPIFY, on_existing_quantity="set", mapping='{"Tags": null}')

    assert counts(again) == ("shopify", 0, 1, 0, 1)
    assert counts(refused) == ("shopify", 0, 1, 2, 1)
    assert "on_existing_quantity" in (await errors_of(manager, refused))[0]["problem"]
    assert counts(adjusted) == ("shopify", 0, 2, 0, 1)
    events = await service.events.wait_for("catalog.product.quantity_imported", 2)
    assert {event["import_id"] for event in events} == {adjusted["id"]}
    assert sorted(event["quantity"] for event in events) == [1, 3]


async def test_variants_and_missing_skus_are_rejected_as_configured(manager: AsyncClient) -> None:
    job = await run(manager, SHOPIFY, variants="reject", on_missing_sku="reject")

    assert counts(job) == ("shopify", 0, 0, 3, 1)
    assert [row["problem"].partition(";")[0] for row in await errors_of(manager, job)] == [
        "is a variant of a product; import with variants=separate_products".partition(";")[0],
        "is a variant of a product; import with variants=separate_products".partition(";")[0],
        "sku: is empty",
    ]


async def test_error_file_imports_once_corrected(manager: AsyncClient) -> None:
    job = await run(manager, SHOPIFY.replace(b",19.90,", b",cheap,"))
    assert counts(job) == ("shopify", 2, 0, 1, 1)
    [row] = await errors_of(manager, job)
    assert (row["name"], row["sku"], row["row"]) == ("T-Shirt / Red / M", "t-shirt-red-m", "2")

    target = io.StringIO()
    writer = csv.DictWriter(target, list(row))
    writer.writeheader()
    writer.writerow(row | {"unit_price": "19.90"})
    corrected = await run(manager, target.getvalue().encode())

    assert counts(corrected) == ("stockbuddy", 1, 0, 0, 0)
    assert (await stored(manager))["t-shirt-red-m"]["supplier"]["name"] == "Acme"


FOREIGN = 'Article,Label,,Prix,Colour\nA-1,Théière,x,"12,50",blue\nA-2,Tasse,,"3,00",\n'.encode("cp1252")
MAPPING = '{"Article": "sku", "label": "name", "Prix": "unit_price", "Colour": null}'


async def test_unknown_columns_are_mapped_ignored_or_rejected(manager: AsyncClient) -> None:
    files = {"file": ("x.csv", FOREIGN)}
    rejected = await manager.post("/imports", files=files)
    assert (rejected.status_code, rejected.json()["code"]) == (422, "unreadable_file")
    assert "Article" in rejected.json()["detail"]

    form = {"mapping": MAPPING, "defaults": '{"unit_of_measure": "piece", "category": "Kitchen"}'}
    job = await finished(manager, await manager.post("/imports", files=files, data=form))

    assert counts(job) == ("stockbuddy", 2, 0, 0, 0)
    assert [c["column"] for c in job["mapping"] if c["field"] is None] == ["column 3", "Colour"]
    product = (await stored(manager))["A-1"]
    assert (product["name"], product["unit_price"]) == ("Théière", "12.50")
    assert (product["unit_of_measure"], product["category"]) == ("piece", "Kitchen")


@pytest.mark.parametrize(
    ("params", "field"),
    [
        ({"mapping": '{"Brand": "supplier"}'}, "mapping"),
        ({"mapping": '{"Prix": "price"}'}, "mapping"),
        ({"mapping": '{"Prix": "unit_price", "Colour": "unit_price"}'}, "mapping"),
        ({"mapping": "Prix"}, "mapping"),
        ({"defaults": '{"colour": "red"}'}, "defaults"),
        ({"defaults": '{"name": 1}'}, "defaults"),
        ({"variants": "merge"}, "variants"),
        ({"decimal_separator": ";"}, "decimal_separator"),
    ],
)
async def test_invalid_parameter_is_rejected(manager: AsyncClient, params: dict[str, str], field: str) -> None:
    answers = [
        await manager.post("/imports", files={"file": ("x.csv", FOREIGN)}, params=params),
        await manager.post("/imports", files={"file": ("x.csv", FOREIGN)}, data=params),
    ]

    assert [(a.status_code, a.json()["errors"][0]["field"]) for a in answers] == [(422, field)] * 2


async def test_preview_shows_the_effect_and_changes_nothing(service: Any, manager: AsyncClient) -> None:
    await manager.post("/products", json={"sku": "TS-BLUE-L", "name": "Old", "price": 1})
    content = SHOPIFY + b",,,,,,,,,,,NO-NAME,0,,1,,,,\n"

    answer = await manager.post("/imports", files={"file": ("x.csv", content)}, params={"preview": True})

    assert answer.status_code == 200, answer.text
    preview = answer.json()
    assert [preview[name] for name in ("system", "total", "created", "updated", "failed", "skipped")] == [
        "shopify",
        4,
        2,
        1,
        1,
        1,
    ]
    assert (preview["is_complete"], preview["format"]) == (True, "csv")
    assert "Variant Grams" in preview["ignored_columns"]
    assert {"column": "Title", "field": "name"} in preview["mapping"]
    first, *_, last = preview["rows"]
    assert (first["row"], first["problem"]) == (2, None)
    assert first["product"] | {"name": "T-Shirt / Red / M", "sku": "t-shirt-red-m", "quantity": "3"} == first["product"]
    assert (last["row"], last["problem"]) == (6, "name: is empty")
    assert [p["name"] for p in (await stored(manager)).values()] == ["Old"]
    for path in ("/imports", "/categories", "/suppliers"):
        assert (await manager.get(path)).json()["total"] == 0
    assert service.events.count("catalog.product.created") <= 1


async def test_preview_of_a_long_file_is_marked_incomplete(manager: AsyncClient) -> None:
    content = b"sku,name,unit_price\n" + b"".join(b"S%d,x,1\n" % number for number in range(1200))

    preview = (await manager.post("/imports", files={"file": ("x.csv", content)}, params={"preview": True})).json()

    assert (preview["total"], preview["created"], preview["is_complete"]) == (1000, 1000, False)
    assert len(preview["rows"]) == 20
