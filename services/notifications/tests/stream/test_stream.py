"""GET /stream: visible events, live, without gap or repeat."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest

from stockbuddy.chassis.access.roles import Role
from stockbuddy.chassis.runtime.shutdown import DrainingServer
from stockbuddy.chassis.testing.tokens import TestIssuer
from stockbuddy.contracts.auth import ApiKeyRevoked, SessionRevoked, UserUpdated


@pytest.fixture
def options() -> dict[str, Any]:
    return {"stream_keepalive_seconds": 0.2, "stream_stalled_seconds": 1, "stream_max_per_caller": 3}


@pytest.fixture
def stream(http: aiohttp.ClientSession, reader: Any) -> Any:
    @asynccontextmanager
    async def open_stream(headers: dict[str, str], **query: str) -> AsyncIterator[Any]:
        async with http.get("stream", headers=headers, params=query) as response:
            assert response.status == 200, await response.text()
            assert response.content_type == "text/event-stream"
            yield reader(response)

    return open_stream


@pytest.fixture
def expiring_stream(http: aiohttp.ClientSession, reader: Any, issuer: TestIssuer) -> Any:
    @asynccontextmanager
    async def open_expiring_stream(**details: Any) -> AsyncIterator[Any]:
        for headers in issuer.expiring_headers(9, **details):
            async with http.get("stream", headers=headers) as response:
                if response.status == 200:
                    yield reader(response)
                    return

    return open_expiring_stream


async def test_event_id_is_the_feed_cursor(stream: Any, service: Any, samples: Any, issuer: TestIssuer) -> None:
    async with stream(issuer.headers()) as reader:
        await reader.begin()
        [sent] = await service.publish(samples.movement())
        [event] = await reader.events(1)
    assert (event["id"], event["event"]) == ("1", "stock.movement.posted")
    assert event["data"]["id"] == sent.id
    assert event["data"]["data"] == json.loads(sent.body)


async def test_stream_resumes_without_gap_or_repeat(
    stream: Any, service: Any, samples: Any, issuer: TestIssuer
) -> None:
    async with stream(issuer.headers()) as reader:
        await reader.begin()
        await service.publish(*(samples.movement(number) for number in range(5)))
        seen = await reader.events(3)
    await service.publish(*(samples.movement(number) for number in range(5, 700)))
    async with stream({**issuer.headers(), "Last-Event-ID": reader.last_event_id}) as again:
        seen += await again.events(497)
        await service.publish(*(samples.movement(number) for number in range(700, 800)))
        seen += await again.events(300)
    assert [event["id"] for event in seen] == [str(number) for number in range(1, 801)]


async def test_opening_comment_contains_the_start_position(
    stream: Any, service: Any, samples: Any, issuer: TestIssuer
) -> None:
    await service.publish(samples.movement())
    async with stream(issuer.headers()) as reader:
        await reader.begin()
    await service.publish(samples.movement())
    async with stream(issuer.headers(), after=reader.start) as again:
        [event] = await again.events(1)
    assert event["id"] == "2"


async def test_default_types_are_stock_and_notifications(
    stream: Any, service: Any, samples: Any, issuer: TestIssuer, admin: Any
) -> None:
    async with stream(issuer.headers(1)) as reader:
        await reader.begin()
        await service.publish(samples.product(), samples.level())
        await admin.post("/notifications", json={"title": "Hello"})
        events = await reader.events(2)
    assert [event["event"] for event in events] == ["stock.level.changed", "notifications.notification.created"]


async def test_types_filter_the_stream(stream: Any, service: Any, samples: Any, issuer: TestIssuer) -> None:
    async with stream(issuer.headers(1), types="catalog.*,stock.movement.*") as reader:
        await reader.begin()
        await service.publish(samples.level(), samples.product(), samples.movement())
        events = await reader.events(2)
    assert [event["event"] for event in events] == ["catalog.product.created", "stock.movement.posted"]


async def test_salesperson_receives_visible_events_only(
    stream: Any, service: Any, samples: Any, issuer: TestIssuer, admin: Any
) -> None:
    await service.publish(samples.user(8), samples.user(9))
    async with stream(issuer.headers(9, Role.SALESPERSON), types="*") as reader:
        await reader.begin()
        await admin.post("/notifications", json={"title": "not yours", "user_id": 8})
        await admin.post("/notifications", json={"title": "managers only", "role": "manager"})
        await admin.post("/notifications", json={"title": "yours", "user_id": 9})
        await service.publish(SessionRevoked(session_id="other", user_id=8, reason="logout"), samples.movement())
        events = await reader.events(2)
    assert sorted(event["event"] for event in events) == ["notifications.notification.created", "stock.movement.posted"]
    assert {e["data"]["data"].get("title") for e in events} == {"yours", None}
    assert all("clientip" not in event["data"] for event in events)


async def test_muted_kind_is_not_streamed_after_the_update(
    stream: Any, service: Any, issuer: TestIssuer, admin: Any
) -> None:
    async with stream(issuer.headers(1), types="notifications.*") as reader:
        await reader.begin()
        await admin.post("/notifications", json={"title": "one"})
        first = await reader.events(2)
        await admin.put("/notification-preferences", json={"announcement": {"in_app": False}})
        [changed] = await reader.events(1)
        await admin.post("/notifications", json={"title": "two"})
        [second] = await reader.events(1)
    assert {event["event"].rpartition(".")[2] for event in first} == {"created", "published"}
    assert changed["event"] == "notifications.preferences.changed"
    assert second["event"] == "notifications.announcement.published"


async def test_idle_stream_sends_comments(stream: Any, issuer: TestIssuer) -> None:
    async with stream(issuer.headers()) as reader:
        await reader.begin()
        async with asyncio.timeout(60):
            assert await reader.response.content.readline() == b":\n"
            assert await reader.response.content.readline() == b":\n"


async def test_stream_ends_when_the_session_is_revoked(
    stream: Any, service: Any, samples: Any, issuer: TestIssuer
) -> None:
    async with stream(issuer.headers(9, session_id="mine")) as mine, stream(issuer.headers(9)) as other:
        await mine.begin()
        await other.begin()
        await service.publish(SessionRevoked(session_id="mine", user_id=9, reason="logout"))
        with pytest.raises(EOFError):
            await mine.events(1)
        await service.publish(samples.movement())
        assert len(await other.events(1)) == 1


async def test_stream_ends_when_the_api_key_is_revoked(stream: Any, service: Any, issuer: TestIssuer) -> None:
    async with stream(issuer.headers(9, session_id="key:4.2")) as reader:
        await reader.begin()
        await service.publish(
            ApiKeyRevoked(api_key_id=4, owner_id=9, name="till", role="salesperson", reason="deleted")
        )
        with pytest.raises(EOFError):
            await reader.events(1)


async def test_stream_ends_when_token_fields_of_the_user_change(
    stream: Any, service: Any, samples: Any, issuer: TestIssuer
) -> None:
    async with stream(issuer.headers(9)) as reader:
        await reader.begin()
        irrelevant = {"full_name": {"from": None, "to": "Nine"}}
        await service.publish(samples.user(9, UserUpdated, version=2, changes=irrelevant), samples.movement())
        assert len(await reader.events(1)) == 1
        relevant = {"role": {"from": "admin", "to": "salesperson"}}
        await service.publish(samples.user(9, UserUpdated, version=3, changes=relevant))
        with pytest.raises(EOFError):
            await reader.events(1)


async def test_stream_ends_when_the_token_expires(expiring_stream: Any) -> None:
    async with expiring_stream() as reader:
        with pytest.raises(EOFError):
            await reader.events(1)


async def test_stream_ends_on_shutdown(stream: Any, server: DrainingServer, issuer: TestIssuer) -> None:
    async with stream(issuer.headers()) as reader:
        await reader.begin()
        server.should_exit = True
        with pytest.raises(EOFError):
            await reader.events(1)


async def test_reader_far_behind_receives_every_event(
    stream: Any, service: Any, samples: Any, issuer: TestIssuer
) -> None:
    """More events than the tail keeps in memory are published before the reader continues."""
    count = 6000
    async with stream(issuer.headers(), types="stock.movement.*") as reader:
        await reader.begin()
        for start in range(0, count, 500):
            await service.publish(*(samples.movement(number) for number in range(start, start + 500)))
        seen: list[str] = []
        async with asyncio.timeout(60):
            while len(seen) < count:
                seen.append((await reader.event())["id"])
    assert seen == [str(number) for number in range(1, count + 1)]


async def test_reader_that_does_not_read_is_disconnected(
    address: str, service: Any, samples: Any, issuer: TestIssuer, until: Any
) -> None:
    host, port = address.removeprefix("http://").partition("/")[0].split(":")
    _, writer = await asyncio.open_connection(host, int(port), limit=1024)
    token = issuer.token()
    writer.write(f"GET /api/v1/stream HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n\r\n".encode())
    tail = service.app.state.services.tail

    async def subscribed() -> bool:
        return bool(tail.subscribers)

    await until(subscribed)
    notes = "x" * 100_000
    for _ in range(20):
        await service.publish(*(samples.movement(notes=notes) for _ in range(10)))

    async def disconnected() -> bool:
        return not tail.subscribers

    await until(disconnected)
    writer.close()


async def test_disconnected_reader_unsubscribes(stream: Any, service: Any, issuer: TestIssuer, until: Any) -> None:
    async with stream(issuer.headers()) as reader:
        await reader.begin()
        assert service.app.state.services.tail.subscribers == 1

    async def unsubscribed() -> bool:
        return not service.app.state.services.tail.subscribers

    await until(unsubscribed)


@pytest.mark.parametrize("path", ["stream", "stream?after=x", "stream?types=;"])
async def test_invalid_stream_request_is_rejected(http: aiohttp.ClientSession, issuer: TestIssuer, path: str) -> None:
    headers = issuer.headers() if "?" in path else {}
    async with http.get(path, headers=headers) as response:
        assert response.status == (422 if "?" in path else 401)
        assert response.content_type == "application/problem+json"


async def test_cursor_that_the_log_does_not_know_resets_the_stream(
    stream: Any, service: Any, samples: Any, issuer: TestIssuer
) -> None:
    await service.publish(samples.movement())
    async with stream({**issuer.headers(), "Last-Event-ID": "5000"}) as reader:
        [reset] = await reader.events(1)
        await service.publish(samples.movement())
        [event] = await reader.events(1)
    assert (reset["event"], reset["id"], reset["data"]) == ("stream.reset", "1", {"head": "1"})
    assert (event["event"], event["id"]) == ("stock.movement.posted", "2")


async def test_empty_last_event_id_is_absent(stream: Any, service: Any, samples: Any, issuer: TestIssuer) -> None:
    await service.publish(samples.movement())
    async with stream({**issuer.headers(), "Last-Event-ID": ""}, after="") as reader:
        await reader.begin()
        await service.publish(samples.movement())
        [event] = await reader.events(1)
    assert event["id"] == "2"


async def test_opening_has_no_event_without_data(stream: Any, issuer: TestIssuer) -> None:
    """Clients such as httpx-sse report an event for every block with an id."""
    async with stream(issuer.headers()) as reader, asyncio.timeout(60):
        assert (await reader.response.content.readline()).startswith(b": id ")
        assert (await reader.response.content.readline()).startswith(b"retry: ")
        assert await reader.response.content.readline() == b":\n"


async def test_streams_of_one_caller_are_limited(
    http: aiohttp.ClientSession, stream: Any, issuer: TestIssuer, until: Any
) -> None:
    mine, other = issuer.headers(9), issuer.headers(8)
    async with stream(mine) as one, stream(mine), stream(mine), stream(other):
        await one.begin()
        for path in ("stream", "events?wait=20"):
            async with http.get(path, headers=mine) as refused:
                assert (refused.status, (await refused.json())["code"]) == (429, "too_many_streams")
                assert refused.headers["Retry-After"]
        async with stream(issuer.headers(9, session_id="key:4.1")) as key:
            await key.begin()

    async def freed() -> bool:
        async with http.get("stream", headers=mine) as response:
            return response.status == 200

    await until(freed)


async def test_stream_with_a_renewed_token_outlives_it(expiring_stream: Any, service: Any, samples: Any) -> None:
    """The gateway renews tokens of API keys and session cookies, and ends the stream with the credential."""
    async with expiring_stream(session_id="key:4.1", renewed=True) as renewed, expiring_stream() as bearer:
        with pytest.raises(EOFError):
            await bearer.events(1)
        await service.publish(samples.movement())
        assert len(await renewed.events(1)) == 1
        await service.publish(
            ApiKeyRevoked(api_key_id=4, owner_id=9, name="till", role="salesperson", reason="deleted")
        )
        with pytest.raises(EOFError):
            await renewed.events(1)
