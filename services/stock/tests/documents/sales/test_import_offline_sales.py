"""POST /sales/batch: import of sales made offline."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from services.stock.tests.conftest import Shop


def sold(product_id: int, quantity: float, **values: Any) -> dict[str, Any]:
    return {"product": product_id, "quantity": quantity, **values}


async def test_batch_accepts_or_rejects_each_sale_in_order(shop: Shop) -> None:
    tea = await shop.product(10)
    sales = [sold(tea, 6), sold(tea, 5), sold(999, 1), sold(tea, 4), sold(tea, 1)]
    sales[0]["occurred_at"] = "2026-02-01T10:00:00Z"
    response = await shop.admin.post("/sales/batch", {"sales": sales})
    assert (response["posted"], response["rejected"]) == (2, 3)
    assert [result["status"] for result in response["results"]] == [
        "posted", "rejected", "rejected", "posted", "rejected",
    ]  # fmt: skip
    assert [result["index"] for result in response["results"]] == [0, 1, 2, 3, 4]
    assert response["results"][0]["sale"]["occurred_at"] == "2026-02-01T10:00:00Z"
    assert response["results"][1]["problem"]["shortages"][0]["available"] == 4
    assert response["results"][2]["problem"]["code"] == "unknown_product"
    assert await shop.on_hand(tea) == 0
    await shop.require_integrity()


async def test_imported_sale_with_a_used_key_is_replayed(shop: Shop) -> None:
    """Alone or in a batch, in any order."""
    tea = await shop.product(10)
    alone = await shop.admin.post("/sales", sold(tea, 1), key="till-1/1")
    sales = [sold(tea, 1, idempotency_key="till-1/1"), sold(tea, 2, idempotency_key="till-1/2")]
    first = await shop.admin.post("/sales/batch", {"sales": sales})
    assert [result["replayed"] for result in first["results"]] == [True, False]
    assert first["results"][0]["sale"] == alone
    again = await shop.admin.call("POST", "/sales/batch", json={"sales": [*reversed(sales), sold(tea, 3)]})
    results = again.json()["results"]
    assert [result["replayed"] for result in results] == [True, True, False]
    assert results[0]["sale"] == first["results"][1]["sale"]
    assert await shop.on_hand(tea) == 4
    reused = await shop.admin.post("/sales/batch", {"sales": [sold(tea, 4, idempotency_key="till-1/1")]})
    assert reused["results"][0]["problem"]["code"] == "idempotency_key_reused"


async def test_key_used_twice_in_a_batch_creates_one_sale(shop: Shop) -> None:
    tea = await shop.product(10)
    sales = [sold(tea, 1, idempotency_key="k")] * 3
    response = await shop.admin.post("/sales/batch", {"sales": sales})
    assert [result["replayed"] for result in response["results"]] == [False, True, True]
    assert await shop.on_hand(tea) == 9


async def test_batch_with_a_repeated_key_is_replayed(shop: Shop) -> None:
    tea = await shop.product(10)
    body = {"sales": [sold(tea, 1), sold(tea, 20), sold(tea, 2)]}
    first = await shop.admin.post("/sales/batch", body, key="b-1")
    again = await shop.admin.call("POST", "/sales/batch", json=body, key="b-1")
    assert [r.get("sale") for r in again.json()["results"]] == [r.get("sale") for r in first["results"]]
    assert await shop.on_hand(tea) == 7
    whole = {"sales": [sold(tea, 1)]}
    await shop.admin.post("/sales/batch", whole, key="b-2")
    replay = await shop.admin.call("POST", "/sales/batch", json=whole, key="b-2")
    assert replay.headers["Idempotent-Replayed"] == "true"


async def test_imported_sale_is_replayed_after_stock_is_sold_out(shop: Shop) -> None:
    tea = await shop.product(10)
    sales = [sold(tea, 10, idempotency_key="all")]
    first = await shop.admin.post("/sales/batch", {"sales": sales})
    again = await shop.admin.post("/sales/batch", {"sales": sales})
    assert again["results"][0]["sale"] == first["results"][0]["sale"]


async def test_malformed_batch_is_rejected(shop: Shop) -> None:
    tea = await shop.product(10)
    await shop.admin.expect_problem(422, "/sales/batch", {"sales": []})
    problem = await shop.admin.expect_problem(422, "/sales/batch", {"sales": [sold(tea, 1), sold(tea, -1)]})
    assert problem["errors"][0]["field"].startswith("sales.1")
    assert await shop.on_hand(tea) == 10
