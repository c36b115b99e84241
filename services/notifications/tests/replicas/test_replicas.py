"""Copies of what others own: the latest state wins, whatever the order in which states arrive."""

from typing import Any

from httpx2 import AsyncClient

from stockbuddy.contracts.catalog import ProductUpdated
from stockbuddy.contracts.stock import LevelLow


async def test_a_name_that_arrives_late_changes_nothing(admin: AsyncClient, service: Any, samples: Any) -> None:
    await service.say(samples.product(ProductUpdated, version=3, name="Kettle"))
    await service.say(samples.product(version=1, name="Teapot"))
    await service.say(samples.crossing(LevelLow))
    [alert] = (await admin.get("/notifications")).json()["items"]
    assert alert["title"] == "Low stock: Kettle (SKU-42)"


async def test_a_user_is_known_as_soon_as_auth_has_said_so(admin: AsyncClient, service: Any, samples: Any) -> None:
    told = {"title": "Welcome", "user_id": 9}
    assert (await admin.post("/notifications", json=told)).status_code == 422
    await service.say(samples.user(9))
    assert (await admin.post("/notifications", json=told)).status_code == 201
