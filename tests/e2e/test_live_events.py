"""Stock events reach streams, notifications and webhooks through the gateway."""

import asyncio
import json
from typing import Any

import aiohttp
import pytest

from stockbuddy.chassis.testing.clients import User


async def create_product(admin: User, quantity: int = 10) -> dict[str, Any]:
    product: dict[str, Any] = await admin.post(
        "/products", {"name": "Teapot", "sku": "T1", "unit_price": "20", "quantity": quantity, "low_stock_threshold": 5}
    )
    await admin.until("/stock-levels", lambda page: page["items"], product_id=product["id"])
    return product


def bearer(user: User) -> dict[str, str]:
    return {"Authorization": f"Bearer {user.tokens['access_token']}"}


async def next_event(response: aiohttp.ClientResponse, event_type: str) -> dict[str, Any]:
    """The data of the next event of that type. Raises EOFError at the end of the stream."""
    is_match = False
    async with asyncio.timeout(60):
        while line := await response.content.readline():
            if line.startswith(b"event: "):
                is_match = line.strip() == f"event: {event_type}".encode()
            elif line.startswith(b"data: ") and is_match:
                event: dict[str, Any] = json.loads(line[6:])
                return event
    raise EOFError


async def test_low_stock_is_notified_once_on_the_stream_and_in_the_app(admin: User, base_url: str) -> None:
    await create_product(admin)
    url = f"{base_url}/api/v1/stream"
    async with aiohttp.ClientSession() as browser, browser.get(url, headers=bearer(admin)) as stream:
        for _ in range(3):
            await admin.post("/sales", {"product": "T1", "quantity": 3})
        crossing = await next_event(stream, "stock.level.low")
        notification = await next_event(stream, "notifications.notification.created")
    assert (crossing["data"]["sku"], crossing["data"]["on_hand"]) == ("T1", 4)
    assert notification["data"]["title"].startswith("Low stock: Teapot")
    page = await admin.get("/notifications", kind="low_stock")
    assert [item["title"] for item in page["items"]] == [notification["data"]["title"]]


async def test_websocket_stream_delivers_events_through_the_gateway(admin: User, base_url: str) -> None:
    product = await create_product(admin)
    url = f"{base_url}/api/v1/ws?types=stock.movement.*&after=0"
    async with aiohttp.ClientSession() as till, till.ws_connect(url, headers=bearer(admin)) as socket:
        message = json.loads(await socket.receive_str(timeout=60))
    assert message["event"] == "stock.movement.posted"
    assert message["data"]["data"]["product_id"] == product["id"]


async def test_stream_ends_at_logout(admin: User, salesperson: User, base_url: str) -> None:
    url = f"{base_url}/api/v1/stream"
    async with aiohttp.ClientSession() as browser, browser.get(url, headers=bearer(salesperson)) as stream:
        assert stream.status == 200
        await stream.content.readline()
        await salesperson.post("/auth/logout")
        with pytest.raises((EOFError, aiohttp.ClientPayloadError)):
            await next_event(stream, "never.published")


async def test_webhook_to_loopback_address_is_rejected_by_default(
    admin: User,
) -> None:
    body = {"url": "http://127.0.0.1:8000/hook", "event_types": ["stock.*"]}
    response = await admin.call("POST", "/webhooks", json=body)
    assert (response.status_code, response.json()["code"]) == (422, "address_not_allowed")


async def test_feed_contains_a_sale_when_read_with_its_consistency_token(admin: User) -> None:
    await create_product(admin)
    for number in range(5):
        sale = await admin.call("POST", "/sales", json={"product": "T1", "quantity": 1, "reference": f"R{number}"})
        assert sale.status_code == 201, sale.text
        token = {"X-Consistency": sale.headers["X-Consistency"]}
        feed = await admin.call("GET", "/events", params={"types": "stock.sale.*"}, headers=token)
        references = [event["data"]["reference"] for event in feed.json()["items"]]
        assert references == [f"R{earlier}" for earlier in range(number + 1)]


async def test_browser_with_a_token_opens_streams_by_ticket(admin: User, base_url: str) -> None:
    """Without any header, once per ticket."""
    product = await create_product(admin)
    tickets = [(await admin.post("/auth/stream-ticket"))["ticket"] for _ in range(2)]
    url = f"{base_url}/api/v1/%s?types=stock.movement.*&after=0&ticket=%s"
    async with aiohttp.ClientSession() as browser:
        async with browser.get(url % ("stream", tickets[0])) as stream:
            event = await next_event(stream, "stock.movement.posted")
        async with browser.ws_connect(url % ("ws", tickets[1])) as socket:
            message = json.loads(await socket.receive_str(timeout=60))
        for path in ("stream", "events"):
            async with browser.get(url % (path, tickets[0])) as refused:
                assert refused.status == 401
    assert event["data"]["product_id"] == message["data"]["data"]["product_id"] == product["id"]
    assert event["sequence"] == str(event["data"]["id"])
