"""Idempotency keys belong to the credential: two tills of one owner do not replay each other's sales."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from services.stock.tests.conftest import Caller, Shop


def tills(shop: Shop) -> list[Caller]:
    """Two API keys of one user; the `sid` of a key's token has its id."""
    return [shop.caller(5, session_id=f"key:{number}.1") for number in (1, 2)]


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/sales", {"quantity": 1}),
        ("/sales/batch", {"sales": [{"quantity": 1}]}),
        ("/sales/batch", {"sales": [{"quantity": 1, "idempotency_key": "receipt-1"}]}),
    ],
)
async def test_same_key_of_another_till_takes_effect(shared_shop: Shop, path: str, body: dict[str, Any]) -> None:
    tea = await shared_shop.product(10)
    for sale in body.get("sales", [body]):
        sale["product"] = tea
    for till in tills(shared_shop):
        await till.post(path, body, key=f"receipt of {path}")
    assert await shared_shop.on_hand(tea) == 8


async def test_same_key_of_a_renewed_token_is_replayed(shared_shop: Shop) -> None:
    tea = await shared_shop.product(10)
    for token in (1, 2):
        till = shared_shop.caller(5, session_id=f"key:3.{token}")
        await till.post("/sales", {"product": tea, "quantity": 1}, key="receipt-2")
    assert await shared_shop.on_hand(tea) == 9


async def test_numbers_in_another_notation_are_the_same_request(shared_shop: Shop) -> None:
    tea = await shared_shop.product(10)
    for notation in ("1", "1.0", "1e0"):
        content = f'{{"product": {tea}, "quantity": {notation}}}'
        json = {"content-type": "application/json"}
        response = await shared_shop.admin.call("POST", "/sales", content=content, headers=json, key="receipt-3")
        assert response.status_code == 201
    assert await shared_shop.on_hand(tea) == 9
    other = await shared_shop.admin.call("POST", "/sales", json={"product": tea, "quantity": 1.5}, key="receipt-3")
    assert other.json()["code"] == "idempotency_key_reused"
