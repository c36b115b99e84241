"""POST /stock-movements/batch: atomic and partial batches."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from services.stock.tests.conftest import Shop

PATH = "/stock-movements/batch"


def taking(product_id: int, quantity: float, **values: Any) -> dict[str, Any]:
    return {"product_id": product_id, "movement_type": "sale", "quantity": quantity, **values}


async def test_atomic_batch_posts_all_movements(shop: Shop) -> None:
    tea, cup = await shop.product(10), await shop.product(10)
    answer = await shop.admin.post(PATH, {"movements": [taking(tea, 4), taking(cup, 1), taking(tea, 6)]})
    assert (answer["posted"], answer["rejected"]) == (3, 0)
    assert [result["index"] for result in answer["results"]] == [0, 1, 2]
    assert [result["movement"]["balance"] for result in answer["results"]] == [6, 9, 0]


async def test_atomic_batch_with_shortages_posts_nothing(shop: Shop) -> None:
    tea, cup, pot = await shop.product(10), await shop.product(1), await shop.product(5)
    await shop.wait_until_published()
    before = len(shop.bus.published)
    body = {"movements": [taking(tea, 6), taking(pot, 5), taking(cup, 2), taking(tea, 6)], "on_error": "abort"}
    problem = await shop.admin.expect_problem(409, PATH, body)
    shortages = {s["product_id"]: (s["requested"], s["available"]) for s in problem["shortages"]}
    assert shortages == {tea: (12, 10), cup: (2, 1)}
    assert [await shop.on_hand(product_id) for product_id in (tea, cup, pot)] == [10, 1, 5]
    await shop.wait_until_published()
    assert len(shop.bus.published) == before


async def test_partial_batch_posts_valid_movements(shop: Shop) -> None:
    tea, cup = await shop.product(10), await shop.product(1, owner_id=8)
    movements = [taking(tea, 6), taking(cup, 2), taking(tea, 6), taking(999, 1), taking(tea, 4), taking(cup, 1)]
    answer = await shop.admin.post(PATH, {"movements": movements, "on_error": "continue"})
    assert (answer["posted"], answer["rejected"]) == (3, 3)
    codes = [result.get("problem", {}).get("code") for result in answer["results"]]
    assert codes == [None, "insufficient_stock", "insufficient_stock", "unknown_product", None, None]
    assert answer["results"][2]["problem"]["shortages"][0]["available"] == 4
    assert answer["results"][4]["movement"]["balance"] == 0
    assert await shop.on_hand(cup) == 0
    await shop.require_integrity()


async def test_partial_batch_with_excessive_quantity_posts_the_others(shop: Shop) -> None:
    tea = await shop.product(10)
    quantities = (1, 999_999_999_999, 2)
    movements = [{"product_id": tea, "movement_type": "in", "quantity": quantity} for quantity in quantities]
    answer = await shop.admin.post(PATH, {"movements": movements, "on_error": "continue"})
    assert (answer["posted"], answer["rejected"]) == (2, 1)
    assert answer["results"][1]["problem"]["code"] == "quantity_out_of_range"
    assert answer["results"][2]["movement"]["balance"] == 13
    await shop.admin.expect_problem(422, PATH, {"movements": movements})
    assert await shop.on_hand(tea) == 13


async def test_partial_batch_rejects_other_owners_products(shop: Shop) -> None:
    own, foreign = await shop.product(5, owner_id=7), await shop.product(5, owner_id=8)
    body = {"movements": [taking(foreign, 1), taking(own, 1)], "on_error": "continue"}
    answer = await shop.caller(7).post(PATH, body)
    assert [result["status"] for result in answer["results"]] == ["rejected", "posted"]
    assert answer["results"][0]["problem"]["code"] == "not_owner"


async def test_batch_with_same_key_is_replayed(shop: Shop) -> None:
    tea = await shop.product(10)
    body = {"movements": [taking(tea, 6), taking(tea, 6)], "on_error": "continue"}
    first = await shop.admin.call("POST", PATH, json=body, key="batch-1")
    again = await shop.admin.call("POST", PATH, json=body, key="batch-1")
    assert again.json() == first.json()
    assert again.headers["Idempotent-Replayed"] == "true"
    assert await shop.on_hand(tea) == 4


async def test_batch_without_success_may_be_retried_with_same_key(shop: Shop) -> None:
    tea = await shop.product(1)
    body = {"movements": [taking(tea, 6)], "on_error": "continue"}
    assert (await shop.admin.post(PATH, body, key="batch-2"))["rejected"] == 1
    await shop.admin.post("/stock-movements", {"product_id": tea, "movement_type": "in", "quantity": 9})
    assert (await shop.admin.post(PATH, body, key="batch-2"))["posted"] == 1


async def test_batch_beyond_maximum_size_is_rejected(shop: Shop) -> None:
    tea = await shop.product()
    adding = {"product_id": tea, "movement_type": "in", "quantity": 0.001}
    answer = await shop.admin.post(PATH, {"movements": [adding] * 1000})
    assert answer["results"][-1]["movement"]["balance"] == 1
    await shop.admin.expect_problem(422, PATH, {"movements": [adding] * 1001})
    await shop.admin.expect_problem(422, PATH, {"movements": []})
