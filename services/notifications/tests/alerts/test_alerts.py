"""Alerts: one per crossing, not per sale, and another one only after the stock recovered."""

from datetime import UTC, datetime
from typing import Any

import pytest
from httpx2 import AsyncClient

from stockbuddy.chassis.access.roles import Role
from stockbuddy.chassis.testing.tokens import TestIssuer
from stockbuddy.contracts.auth import EmailFailed, EmailsDelayed
from stockbuddy.contracts.catalog import ImportFinished
from stockbuddy.contracts.notifications import WebhookDisabled
from stockbuddy.contracts.stock import ActivityUnusual, LevelDepleted, LevelLow, LevelRecovered, WarehouseCreated

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


async def titles(client: AsyncClient, headers: dict[str, str] | None = None) -> list[str]:
    items = (await client.get("/notifications", headers=headers)).json()["items"]
    return [item["title"] for item in reversed(items)]


async def test_low_stock_alert_names_product_and_warehouse_for_managers_and_admins(
    admin: AsyncClient, issuer: TestIssuer, service: Any, samples: Any
) -> None:
    warehouse = {"warehouse_id": 1, "version": 1, "code": "MAIN", "name": "Main Street", "kind": "store"}
    await service.publish(samples.product(), WarehouseCreated(**warehouse, is_default=True))
    await service.publish(samples.crossing(LevelLow, reserved=1))
    [alert] = (await admin.get("/notifications")).json()["items"]
    assert alert["kind"] == "low_stock"
    assert alert["title"] == "Low stock: Teapot (SKU-42)"
    assert alert["body"] == "3 left in Main Street, 1 of them reserved. The limit is 5."
    assert (alert["subject"], alert["role"]) == ("product/42", "admin")
    assert alert["code"] == "low_stock"
    named = {"product": "Teapot (SKU-42)", "warehouse": "Main Street"}
    assert alert["values"] == named | {"on_hand": "3", "reserved": "1", "threshold": "5"}
    assert len(await titles(admin, issuer.headers(2, Role.MANAGER))) == 1
    assert await titles(admin, issuer.headers(3, Role.SALESPERSON)) == []


async def test_alert_without_replicated_names_uses_sku_and_id(admin: AsyncClient, service: Any, samples: Any) -> None:
    await service.publish(samples.crossing(LevelLow))
    [alert] = (await admin.get("/notifications")).json()["items"]
    assert alert["title"] == "Low stock: SKU-42"
    assert alert["body"] == "3 left in warehouse 1. The limit is 5."


@pytest.mark.parametrize(
    ("crossings", "expected"),
    [
        ([(LevelLow, 1, 3), (LevelLow, 2, 2), (LevelLow, 3, 1)], ["Low"]),
        ([(LevelLow, 1, 3), (LevelRecovered, 2, 9), (LevelLow, 3, 3)], ["Low", "Low"]),
        ([(LevelLow, 1, 3), (LevelDepleted, 2, 0)], ["Low", "Out of"]),
        ([(LevelLow, 1, 0), (LevelDepleted, 1, 0)], ["Out of"]),
        ([(LevelDepleted, 1, 0), (LevelLow, 1, 0)], ["Out of"]),
        ([(LevelLow, 1, 0), (LevelLow, 2, 2), (LevelDepleted, 3, 0)], ["Out of"]),
        ([(LevelDepleted, 1, 0), (LevelRecovered, 2, 9), (LevelDepleted, 3, 0)], ["Out of", "Out of"]),
        ([(LevelRecovered, 5, 9), (LevelLow, 4, 3)], []),
        ([(LevelLow, 4, 3), (LevelRecovered, 3, 9), (LevelLow, 5, 2)], ["Low"]),
    ],
)
async def test_one_crossing_raises_one_alert(
    admin: AsyncClient, service: Any, samples: Any, crossings: list[tuple[Any, int, int]], expected: list[str]
) -> None:
    for kind, version, on_hand in crossings:
        await service.publish(samples.crossing(kind, version=version, on_hand=on_hand))
    assert [title.partition(" stock")[0] for title in await titles(admin)] == expected


async def test_redelivered_event_raises_one_alert(admin: AsyncClient, service: Any, samples: Any) -> None:
    sent = await service.publish(samples.crossing(LevelLow))
    await service.deliver(sent)
    assert len(await titles(admin)) == 1


async def test_levels_raise_alerts_independently(admin: AsyncClient, service: Any, samples: Any) -> None:
    await service.publish(
        samples.crossing(LevelLow, 1), samples.crossing(LevelLow, 2), samples.crossing(LevelLow, 1, warehouse_id=2)
    )
    assert len(await titles(admin)) == 3


async def test_unusual_activity_notifies_managers_and_admins(
    admin: AsyncClient, issuer: TestIssuer, service: Any, samples: Any
) -> None:
    moved = {"movement_id": 1, "product_id": 42, "sku": "SKU-42", "warehouse_id": 1, "movement_type": "transfer_out"}
    size = {
        "quantity": -500,
        "typical_quantity": 2,
        "ratio": 250.0,
        "document": "stock_transfer/7",
        "recorded_at": "2026-03-01T12:00:00Z",
    }
    await service.publish(samples.product(), ActivityUnusual.model_validate(moved | size))
    [alert] = (await admin.get("/notifications", params={"kind": "unusual_activity"})).json()["items"]
    assert alert["title"] == "Unusual movement: Teapot (SKU-42)"
    assert alert["body"] == "Transfer out of -500 in warehouse 1 by alice (stock transfer 7): 250 times the usual 2."
    assert alert["code"] == "unusual_activity"
    assert alert["values"] == {
        "product": "Teapot (SKU-42)", "warehouse": "warehouse 1", "quantity": "-500", "typical_quantity": "2",
        "ratio": "250", "actor": "alice", "document": "stock_transfer/7", "movement_type": "transfer_out",
    }  # fmt: skip
    assert len(await titles(admin, issuer.headers(2, Role.MANAGER))) == 1
    sales = issuer.headers(3, Role.SALESPERSON)
    assert await titles(admin, sales) == []
    feed = await admin.get("/events", params={"types": "stock.activity.*"}, headers=sales)
    assert feed.json()["items"] == []


async def test_disabled_webhook_notifies_admins(admin: AsyncClient, issuer: TestIssuer, service: Any) -> None:
    state = {"webhook_id": 5, "version": 2, "host": "example.com", "event_types": ["*"], "is_active": False}
    await service.publish(WebhookDisabled(**state, reason="The receiver responded 410 Gone."))
    assert await titles(admin) == ["Webhook to example.com disabled"]
    assert await titles(admin, issuer.headers(2, Role.MANAGER)) == []


async def test_finished_import_notifies_its_creator(admin: AsyncClient, issuer: TestIssuer, service: Any) -> None:
    counts = {"created": 3, "updated": 2, "unchanged": 1, "failed": 4}
    await service.publish(ImportFinished(import_id=6, state="finished", dry_run=False, total=10, **counts))
    alice = issuer.headers(7, Role.MANAGER)
    assert await titles(admin, alice) == ["Import finished"]
    [alert] = (await admin.get("/notifications", headers=alice)).json()["items"]
    assert (alert["code"], alert["values"]) == ("import_finished", {name: str(n) for name, n in counts.items()})
    assert await titles(admin) == []


async def test_opening_stock_below_the_threshold_raises_no_alert(
    admin: AsyncClient, service: Any, samples: Any
) -> None:
    opening = {"before": 0, "delta": 5, "on_hand": 5}
    await service.publish(samples.crossing(LevelLow, version=1, **opening))
    assert await titles(admin) == []
    await service.publish(samples.crossing(LevelDepleted, version=2, before=5, delta=-5, on_hand=0))
    assert await titles(admin) == ["Out of stock: SKU-42"]


async def test_failed_emails_of_auth_notify_admins_once_a_day(
    admin: AsyncClient, issuer: TestIssuer, service: Any
) -> None:
    failed = {"kind": "password_reset", "recipient": "gone@example.com", "attempts": 3, "reason": "550 no such user"}
    await service.publish(*(EmailFailed(email_id=number, **failed) for number in (1, 2)))
    await service.publish(EmailsDelayed(waiting_since=NOON, reason="certificate not trusted"))
    assert sorted(await titles(admin)) == ["An e-mail was not sent", "E-mails are not sent"]
    assert await titles(admin, issuer.headers(2, Role.MANAGER)) == []
