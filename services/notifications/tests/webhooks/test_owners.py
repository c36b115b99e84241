"""A webhook receives what the user who last changed it may see, now."""

import json
from typing import Any

import pytest
from httpx2 import AsyncClient

from stockbuddy.chassis.testing.tokens import TestIssuer
from stockbuddy.contracts.auth import RoleCreated, RoleUpdated, UserRoleChanged

ALL_BUT_COSTS = "event.read catalog.read stock.read webhook.manage"
PERMISSIONS = ALL_BUT_COSTS.split()


@pytest.fixture
def options() -> dict[str, Any]:
    return {"webhook_allow_private": True, "webhook_retry_seconds": "0.05"}


@pytest.fixture
def headers(issuer: TestIssuer) -> dict[str, str]:
    """Of a user whose role an admin has made."""
    return issuer.headers(9, "integrator", scope=ALL_BUT_COSTS)


async def create(client: AsyncClient, receiver: Any, headers: dict[str, str]) -> dict[str, Any]:
    body = {"url": receiver.url, "event_types": ["catalog.*", "stock.*"]}
    response = await client.post("/webhooks", json=body, headers=headers)
    assert response.status_code == 201, response.text
    webhook: dict[str, Any] = response.json()
    return webhook


def types(receiver: Any) -> list[str]:
    return [json.loads(request.body)["type"] for request in receiver.received]


async def test_webhook_receives_what_its_owner_may_see(
    admin: AsyncClient, service: Any, samples: Any, receiver: Any, headers: dict[str, str]
) -> None:
    await create(admin, receiver, headers)
    await service.publish(samples.user(8), samples.product(cost_price="7.77"), samples.movement(unit_cost="7.77"))
    product, movement = [json.loads(request.body) for request in await receiver.wait_for(2)]
    assert [product["type"], movement["type"]] == ["catalog.product.created", "stock.movement.posted"]
    assert product["data"]["unit_price"] == "19.90"
    assert "7.77" not in json.dumps([product, movement])
    assert not {"cost_price", "unit_cost", "value"} & (product["data"].keys() | movement["data"].keys())


async def test_webhook_loses_what_its_owner_loses(
    admin: AsyncClient, service: Any, samples: Any, start_receiver: Any, headers: dict[str, str]
) -> None:
    limited, unlimited = await start_receiver(), await start_receiver()
    await create(admin, limited, headers)
    await create(admin, unlimited, {})
    role = {"name": "integrator", "permissions": PERMISSIONS}
    await service.publish(RoleCreated(**role, version=1), samples.user(9, role="integrator"))
    await service.publish(samples.product(product_id=1), samples.movement())
    await limited.wait_for(2)
    without_stock = [name for name in PERMISSIONS if name != "stock.read"]
    await service.publish(RoleUpdated(name="integrator", version=2, permissions=without_stock))
    await service.publish(samples.movement(id=2), samples.product(product_id=2))
    await limited.wait_for(3)
    await service.publish(samples.user(9, UserRoleChanged, version=2, role="viewer"))
    await service.publish(samples.product(product_id=3), samples.movement(id=3))
    await unlimited.wait_for(6)
    assert types(limited) == ["catalog.product.created", "stock.movement.posted", "catalog.product.created"]


async def test_webhook_changed_by_another_user_follows_their_permissions(
    admin: AsyncClient, service: Any, samples: Any, receiver: Any, headers: dict[str, str]
) -> None:
    webhook = await create(admin, receiver, {})
    changed = await admin.patch(f"/webhooks/{webhook['id']}", json={"description": "mine"}, headers=headers)
    assert changed.status_code == 200, changed.text
    await service.publish(samples.user(8), samples.product(cost_price="7.77"))
    (request,) = await receiver.wait_for(1)
    assert json.loads(request.body)["type"] == "catalog.product.created"
    assert b"7.77" not in request.body
