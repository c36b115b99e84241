"""Imports the original exports of other shop systems, which are not part of the repository: `make exports`."""

import asyncio
import os
from pathlib import Path

from httpx2 import AsyncClient

EXPORTS = Path(os.environ.get("EXPORTS") or Path(__file__).parents[5] / "shared" / "data" / "exports")
TIMEOUT_SECONDS = 60
EXPECTED = {
    "prestashop-suppliers_import.csv": ("prestashop_suppliers", 2),
    "prestashop-products_import.csv": ("prestashop", 2),
    "prestashop-combinations_import.csv": ("prestashop_combinations", 2),
    "shopify-apparel.csv": ("shopify", 22),
    "shopify-home-and-garden.csv": ("shopify", 21),
    "shopify-jewelery.csv": ("shopify", 23),
    "woo-sample.csv": ("woocommerce", 6),
}
"""The system and the number of products by file; combinations refer to the products imported before."""


async def import_file(client: AsyncClient, path: Path) -> tuple[str, int, int]:
    """The recognised system, and the numbers of products created and of rows failed."""
    content = path.read_bytes()
    preview = await client.post("/imports", files={"file": (path.name, content)}, params={"preview": True})
    answer = await client.post("/imports", files={"file": (path.name, content)})
    assert (preview.status_code, answer.status_code) == (200, 202), (preview.text, answer.text)
    job = answer.json()
    async with asyncio.timeout(TIMEOUT_SECONDS):
        while job["state"] not in ("finished", "failed"):
            await asyncio.sleep(0.05)
            job = (await client.get(f"/imports/{job['id']}")).json()
    assert [preview.json()[name] for name in ("created", "failed")] == [job["created"], job["failed"]]
    return job["system"], job["created"], job["failed"]


async def test_original_exports_are_imported_unchanged(manager: AsyncClient) -> None:
    assert sorted(path.name for path in EXPORTS.glob("*.csv")) == sorted(EXPECTED), f"files are missing in {EXPORTS}"

    results = {name: await import_file(manager, EXPORTS / name) for name in EXPECTED}

    assert results == {name: (system, created, 0) for name, (system, created) in EXPECTED.items()}
    named = (await manager.get("/products", params={"search": "classic varsity top medium"})).json()["items"][0]
    assert (named["name"], named["sku"]) == ("Classic Varsity Top / Medium", "classic-varsity-top-medium")
