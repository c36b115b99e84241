"""Data replicas: the newest version wins, in whatever order events arrive."""

from typing import Any

from httpx2 import AsyncClient

from stockbuddy.contracts.catalog import ProductUpdated
from stockbuddy.contracts.stock import LevelLow


async def test_older_event_does_not_change_the_replica(admin: AsyncClient, service: Any, samples: Any) -> None:
    await service.publish(samples.product(ProductUpdated, version=3, name="Kettle"))
    await service.publish(samples.product(version=1, name="Teapot"))
    await service.publish(samples.crossing(LevelLow))
    [alert] = (await admin.get("/notifications")).json()["items"]
    assert alert["title"] == "Low stock: Kettle (SKU-42)"


async def test_user_can_be_notified_after_its_event_arrived(admin: AsyncClient, service: Any, samples: Any) -> None:
    notification = {"title": "Welcome", "user_id": 9}
    assert (await admin.post("/notifications", json=notification)).status_code == 422
    await service.publish(samples.user(9))
    assert (await admin.post("/notifications", json=notification)).status_code == 201
