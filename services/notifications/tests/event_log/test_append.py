"""The log has each event once, in one chain, however many processes append."""

from typing import Any
from uuid import uuid4

from httpx2 import AsyncClient

from stockbuddy.chassis.messaging.message import Message
from stockbuddy.chassis.messaging.outbox import open_database
from stockbuddy.notifications.event_log.append import Appender


def till_opened() -> Message:
    event_id = str(uuid4())
    return Message(event_id, "till.opened", {"specversion": "1.0", "id": event_id, "source": "/tills/4"}, b"{}")


async def test_events_of_two_processes_are_one_chain_without_repetitions(
    admin: AsyncClient, service: Any, database_url: str
) -> None:
    """The other process moves the head, and its events are delivered here as well."""
    first, second, third, fourth = (till_opened() for _ in range(4))
    await service.deliver([first])
    database = open_database(database_url, "notifications")
    other = Appender()
    assert await other.append(database, [second])
    await service.deliver([first, second, third])
    assert not await other.append(database, [fourth])
    await database.close()
    items = (await admin.get("/events")).json()["items"]
    assert [item["id"] for item in items] == [first.id, second.id, third.id]
    assert (await admin.get("/audit-logs/verify")).json()["ok"]
