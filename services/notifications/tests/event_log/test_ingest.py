"""An event that can never be stored does not block the log, whatever its source; unusual ones are stored."""

from typing import Any
from uuid import uuid4

import pytest
from httpx2 import AsyncClient

from stockbuddy.chassis.messaging.message import Message


def message(body: bytes = b"1", **attributes: str) -> Message:
    event_id = str(uuid4())
    headers = {"specversion": "1.0", "id": event_id, "type": "till.opened", "source": "/tills/4", **attributes}
    return Message(event_id, "till.opened", headers, body)


NEVER_STORABLE = [
    message(b"[" * 100_000 + b"]" * 100_000),
    message(b"NaN"),
    message(b"1" * 5_000),
]


@pytest.mark.parametrize("unusable", NEVER_STORABLE, ids=range(len(NEVER_STORABLE)))
async def test_event_that_cannot_be_stored_does_not_block_others(
    admin: AsyncClient, service: Any, samples: Any, unusable: Message
) -> None:
    await service.deliver([unusable, *await service.publish(samples.movement(1))])
    await service.publish(samples.movement(2))
    items = (await admin.get("/events")).json()["items"]
    assert [item["type"] for item in items] == ["stock.movement.posted"] * 2


UNUSUAL = [
    message(b'"' + b" ".join(b"%x" % number for number in range(700_000)) + b'"'),
    message(subject="x" * 4096, actorname="y" * 4096, requestid="z" * 4096, clientip="c" * 4096),
    message(time="0001-01-01T00:00:00+14:00"),
    message(time="9999-12-31T23:59:59-12:00"),
    message(time="yesterday"),
    message(b'{"user_id": "seven", "username": ["a"]}', type="auth.user.registered"),
]


@pytest.mark.parametrize("unusual", UNUSUAL, ids=range(len(UNUSUAL)))
async def test_unusual_event_is_stored(admin: AsyncClient, service: Any, unusual: Message) -> None:
    await service.deliver([unusual])
    assert len((await admin.get("/events")).json()["items"]) == 1
    assert (await admin.get("/audit-logs")).status_code == 200
    assert (await admin.get("/audit-logs/verify")).json()["ok"]
