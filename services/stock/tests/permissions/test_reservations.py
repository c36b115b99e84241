"""Limits of reservations: how long, how much, and who may end another user's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import asyncpg
import pytest

from stockbuddy.chassis.access.roles import Role
from stockbuddy.contracts.catalog import ProductDeleted

if TYPE_CHECKING:
    from services.stock.tests.conftest import Caller, ProductEvent, Shop

SELLER, COLLEAGUE = 5, 6
MAX_SECONDS = 30 * 24 * 3600


async def reserve(caller: Caller, product_id: int, quantity: float, **values: Any) -> int:
    body = {"lines": [{"product_id": product_id, "quantity": quantity}], **values}
    held = await caller.post("/reservations", body)
    reservation_id: int = held["id"]
    return reservation_id


@pytest.mark.parametrize("seconds", [MAX_SECONDS + 1, 366 * 24 * 3600, 2**63])
async def test_reservation_beyond_the_longest_time_is_rejected(shared_shop: Shop, seconds: int) -> None:
    tea = await shared_shop.product(10)
    body = {"lines": [{"product_id": tea, "quantity": 1}], "expires_in": seconds}
    for caller in (shared_shop.caller(SELLER), shared_shop.admin):
        problem = await caller.expect_problem(422, "/reservations", body)
        assert problem["errors"][0]["field"] == "expires_in"
    held = await reserve(shared_shop.admin, tea, 1, expires_in=MAX_SECONDS)
    await shared_shop.admin.expect_problem(422, f"/reservations/{held}/extend", {"expires_in": seconds})


async def test_extensions_of_a_salesperson_count_from_the_creation(shop: Shop, database: asyncpg.Connection) -> None:
    tea, seller = await shop.product(10), shop.caller(SELLER)
    held = await reserve(seller, tea, 1, expires_in=MAX_SECONDS)
    await database.execute("UPDATE reservation SET created_at = created_at - interval '20 days'")
    await seller.expect_problem(422, f"/reservations/{held}/extend", {"expires_in": 11 * 24 * 3600})
    await seller.post(f"/reservations/{held}/extend", {"expires_in": 9 * 24 * 3600})
    await shop.caller(9, Role.MANAGER).post(f"/reservations/{held}/extend", {"expires_in": 11 * 24 * 3600})


async def test_salespersons_leave_a_share_of_the_stock_unreserved(shared_shop: Shop) -> None:
    """Over all reservations of the level, rounded up to units."""
    tea, seller = await shared_shop.product(100), shared_shop.caller(SELLER)
    body = {"lines": [{"product_id": tea, "quantity": 91}]}
    problem = await seller.expect_problem(403, "/reservations", body)
    assert (problem["code"], problem["max_reserved_share"]) == ("reserved_share_exceeded", 0.9)
    await reserve(seller, tea, 50)
    await reserve(shared_shop.caller(COLLEAGUE), tea, 40)
    await seller.expect_problem(403, "/reservations", {"lines": [{"product_id": tea, "quantity": 1}]})
    await shared_shop.admin.post("/reservations", {"lines": [{"product_id": tea, "quantity": 10}]})
    last = await shared_shop.product(1)
    await reserve(seller, last, 1)


async def test_share_does_not_limit_own_products_and_backorders(shared_shop: Shop) -> None:
    seller = shared_shop.caller(SELLER)
    await reserve(seller, await shared_shop.product(100, owner_id=SELLER), 100)
    tea, lenient = await shared_shop.product(), await shared_shop.warehouse("LENIENT", negative_stock="allow")
    body = {"lines": [{"product_id": tea, "quantity": 5, "warehouse_id": lenient}]}
    await seller.post("/reservations", body)


async def test_expired_reservations_do_not_count_for_the_share(shop: Shop, database: asyncpg.Connection) -> None:
    tea, seller = await shop.product(100), shop.caller(SELLER)
    for _ in range(3):
        held = await reserve(seller, tea, 90)
        await database.execute("UPDATE reservation SET expires_at = now() WHERE id = $1", held)


@pytest.mark.parametrize(
    ("step", "body"),
    [("release", None), ("extend", {"expires_in": 1}), ("extend", {"expires_in": 900}), ("commit", {"as": "out"})],
)
async def test_other_users_reservation_is_ended_by_managers_only(
    shared_shop: Shop, step: str, body: dict[str, Any] | None
) -> None:
    tea = await shared_shop.product(10, owner_id=COLLEAGUE)
    held = await reserve(shared_shop.caller(SELLER), tea, 2)
    problem = await shared_shop.caller(COLLEAGUE).expect_problem(403, f"/reservations/{held}/{step}", body)
    assert problem["code"] == "not_reserver"
    assert (await shared_shop.admin.get(f"/reservations/{held}"))["version"] == 1
    await shared_shop.caller(9, Role.MANAGER).post(f"/reservations/{held}/{step}", body)


@pytest.mark.parametrize(("step", "body"), [("release", None), ("extend", {"expires_in": 1})])
async def test_own_reservation_is_ended_by_its_creator(
    shared_shop: Shop, step: str, body: dict[str, Any] | None
) -> None:
    seller = shared_shop.caller(SELLER)
    held = await reserve(seller, await shared_shop.product(10), 2)
    await seller.post(f"/reservations/{held}/{step}", body)


async def test_other_users_reservation_is_fulfilled_but_not_released_by_a_sale(shared_shop: Shop) -> None:
    tea, cup = await shared_shop.product(10), await shared_shop.product(10)
    seller, colleague = shared_shop.caller(SELLER), shared_shop.caller(COLLEAGUE)
    held = await reserve(seller, tea, 2)
    for lines in ([{"product_id": tea, "quantity": 1}], [{"product_id": cup, "quantity": 2}]):
        problem = await colleague.expect_problem(403, "/sales", {"lines": lines, "reservation_id": held})
        assert problem["code"] == "not_reserver"
    sale = await colleague.post("/sales", {"product": tea, "quantity": 3, "reservation_id": held})
    assert sale["reservation_id"] == held
    second = await reserve(seller, tea, 2)
    await colleague.post(f"/reservations/{second}/commit", {"as": "sale"})
    await shared_shop.require_integrity()


async def test_reservation_of_a_deleted_product_is_completed(shared_shop: Shop, product_created: ProductEvent) -> None:
    seller = shared_shop.caller(SELLER)
    for body in ({"as": "sale"}, {"as": "out"}):
        tea = await shared_shop.product(10, owner_id=SELLER)
        held = await reserve(seller, tea, 2)
        gone = product_created(tea, version=2, owner_id=SELLER, deleted=True)
        await shared_shop.deliver(ProductDeleted.model_validate(gone.model_dump()))
        await seller.expect_problem(404, "/sales", {"product_id": tea, "quantity": 1})
        committed = await seller.post(f"/reservations/{held}/commit", body)
        assert committed["status"] == "committed"
