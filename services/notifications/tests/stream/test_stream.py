"""GET /stream: what one may see, as it happens, without gap or repeat."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest

from stockbuddy.chassis.http.tokens import Role
from stockbuddy.chassis.runtime.shutdown import DrainingServer
from stockbuddy.chassis.testing.tokens import TestIssuer
from stockbuddy.contracts.auth import ApiKeyRevoked, SessionRevoked, UserUpdated


@pytest.fixture
def options() -> dict[str, Any]:
    return {"stream_keepalive_seconds": 0.2, "stream_stalled_seconds": 1}


@pytest.fixture
def stream(http: aiohttp.ClientSession, reader: Any) -> Any:
    @asynccontextmanager
    async def open_stream(headers: dict[str, str], **query: str) -> AsyncIterator[Any]:
        async with http.get("stream", headers=headers, params=query) as response:
            assert response.status == 200, await response.text()
            assert response.content_type == "text/event-stream"
            yield reader(response)

    return open_stream


async def test_an_event_arrives_with_the_feeds_cursor_as_its_id(
    stream: Any, service: Any, samples: Any, issuer: TestIssuer
) -> None:
    async with stream(issuer.headers()) as reader:
        await reader.begin()
        [sent] = await service.say(samples.movement())
        [event] = await reader.events(1)
    assert (event["id"], event["event"]) == ("1", "stock.movement.posted")
    assert event["data"]["id"] == sent.id
    assert event["data"]["data"] == json.loads(sent.body)


async def test_a_reader_resumes_without_gap_or_repeat(
    stream: Any, service: Any, samples: Any, issuer: TestIssuer
) -> None:
    async with stream(issuer.headers()) as reader:
        await reader.begin()
        await service.say(*(samples.movement(number) for number in range(5)))
        seen = await reader.events(3)
    await service.say(*(samples.movement(number) for number in range(5, 700)))
    async with stream({**issuer.headers(), "Last-Event-ID": reader.last_event_id}) as again:
        seen += await again.events(497)
        await service.say(*(samples.movement(number) for number in range(700, 800)))
        seen += await again.events(300)
    assert [event["id"] for event in seen] == [str(number) for number in range(1, 801)]


async def test_one_that_never_got_an_event_knows_where_it_began(
    stream: Any, service: Any, samples: Any, issuer: TestIssuer
) -> None:
    await service.say(samples.movement())
    async with stream(issuer.headers()) as reader:
        line = b""
        while not line.startswith(b"id: "):
            line = await reader.response.content.readline()
    await service.say(samples.movement())
    async with stream(issuer.headers(), after=line.decode()[4:].strip()) as again:
        [event] = await again.events(1)
    assert event["id"] == "2"


async def test_without_types_it_tells_of_stock_and_notifications(
    stream: Any, service: Any, samples: Any, issuer: TestIssuer, admin: Any
) -> None:
    async with stream(issuer.headers(1)) as reader:
        await reader.begin()
        await service.say(samples.product(), samples.level())
        await admin.post("/notifications", json={"title": "Hello"})
        events = await reader.events(2)
    assert [event["event"] for event in events] == ["stock.level.changed", "notifications.notification.created"]


async def test_types_choose(stream: Any, service: Any, samples: Any, issuer: TestIssuer) -> None:
    async with stream(issuer.headers(1), types="catalog.*,stock.movement.*") as reader:
        await reader.begin()
        await service.say(samples.level(), samples.product(), samples.movement())
        events = await reader.events(2)
    assert [event["event"] for event in events] == ["catalog.product.created", "stock.movement.posted"]


async def test_a_salesperson_sees_only_what_they_may(
    stream: Any, service: Any, samples: Any, issuer: TestIssuer, admin: Any
) -> None:
    await service.say(samples.user(8), samples.user(9))
    async with stream(issuer.headers(9, Role.SALESPERSON), types="*") as reader:
        await reader.begin()
        await admin.post("/notifications", json={"title": "not yours", "user_id": 8})
        await admin.post("/notifications", json={"title": "managers only", "role": "manager"})
        await admin.post("/notifications", json={"title": "yours", "user_id": 9})
        await service.say(SessionRevoked(session_id="other", user_id=8, reason="logout"), samples.movement())
        events = await reader.events(2)
    assert sorted(event["event"] for event in events) == ["notifications.notification.created", "stock.movement.posted"]
    assert {e["data"]["data"].get("title") for e in events} == {"yours", None}
    assert all("clientip" not in event["data"] for event in events)


async def test_a_kind_that_one_does_not_want_to_see_is_left_out_from_the_moment_one_says_so(
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
    assert {event["event"].rpartition(".")[2] for event in first} == {"created", "made"}
    assert changed["event"] == "notifications.preferences.changed"
    assert second["event"] == "notifications.announcement.published"


async def test_an_idle_stream_is_kept_open_by_comments(stream: Any, issuer: TestIssuer) -> None:
    async with stream(issuer.headers()) as reader:
        await reader.begin()
        async with asyncio.timeout(5):
            assert await reader.response.content.readline() == b":\n"
            assert await reader.response.content.readline() == b":\n"


async def test_it_ends_when_the_session_is_revoked(stream: Any, service: Any, samples: Any, issuer: TestIssuer) -> None:
    async with stream(issuer.headers(9, session_id="mine")) as mine, stream(issuer.headers(9)) as other:
        await mine.begin()
        await other.begin()
        await service.say(SessionRevoked(session_id="mine", user_id=9, reason="logout"))
        with pytest.raises(EOFError):
            await mine.events(1)
        await service.say(samples.movement())
        assert len(await other.events(1)) == 1


async def test_it_ends_when_the_api_key_is_revoked(stream: Any, service: Any, issuer: TestIssuer) -> None:
    async with stream(issuer.headers(9, session_id="key:4.2")) as reader:
        await reader.begin()
        await service.say(ApiKeyRevoked(api_key_id=4, owner_id=9, name="till", role="salesperson", reason="deleted"))
        with pytest.raises(EOFError):
            await reader.events(1)


async def test_it_ends_when_the_token_no_longer_says_what_the_user_is(
    stream: Any, service: Any, samples: Any, issuer: TestIssuer
) -> None:
    async with stream(issuer.headers(9)) as reader:
        await reader.begin()
        harmless = {"full_name": {"from": None, "to": "Nine"}}
        await service.say(samples.user(9, UserUpdated, version=2, changes=harmless), samples.movement())
        assert len(await reader.events(1)) == 1
        telling = {"role": {"from": "admin", "to": "salesperson"}}
        await service.say(samples.user(9, UserUpdated, version=3, changes=telling))
        with pytest.raises(EOFError):
            await reader.events(1)


async def test_it_ends_when_the_token_expires(stream: Any, issuer: TestIssuer) -> None:
    async with stream(issuer.headers(9, lifetime_seconds=2)) as reader:
        with pytest.raises(EOFError):
            await reader.events(1)


async def test_it_ends_when_the_process_is_told_to_stop(stream: Any, server: DrainingServer, issuer: TestIssuer) -> None:
    async with stream(issuer.headers()) as reader:
        await reader.begin()
        server.should_exit = True
        with pytest.raises(EOFError):
            await reader.events(1)


async def test_a_reader_that_falls_far_behind_still_gets_everything(
    stream: Any, service: Any, samples: Any, issuer: TestIssuer
) -> None:
    """More happens than the feed keeps at hand before the reader reads on."""
    count = 6000
    async with stream(issuer.headers(), types="stock.movement.*") as reader:
        await reader.begin()
        for start in range(0, count, 500):
            await service.say(*(samples.movement(number) for number in range(start, start + 500)))
        seen: list[str] = []
        async with asyncio.timeout(30):
            while len(seen) < count:
                seen.append((await reader.event())["id"])
    assert seen == [str(number) for number in range(1, count + 1)]


async def test_one_that_does_not_read_at_all_is_dropped(
    address: str, service: Any, samples: Any, issuer: TestIssuer, until: Any
) -> None:
    host, port = address.removeprefix("http://").partition("/")[0].split(":")
    _, writer = await asyncio.open_connection(host, int(port), limit=1024)
    token = issuer.token()
    writer.write(f"GET /api/v1/stream HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n\r\n".encode())
    feed = service.app.state.feed

    async def listening() -> bool:
        return bool(feed.listeners)

    await until(listening)
    notes = "x" * 100_000
    for _ in range(20):
        await service.say(*(samples.movement(notes=notes) for _ in range(10)))

    async def dropped() -> bool:
        return not feed.listeners

    await until(dropped)
    writer.close()


async def test_a_reader_that_leaves_is_forgotten(stream: Any, service: Any, issuer: TestIssuer, until: Any) -> None:
    async with stream(issuer.headers()) as reader:
        await reader.begin()
        assert service.app.state.feed.listeners == 1

    async def forgotten() -> bool:
        return not service.app.state.feed.listeners

    await until(forgotten)


@pytest.mark.parametrize("path", ["stream", "stream?after=x", "stream?types=;"])
async def test_what_makes_no_sense_is_refused(http: aiohttp.ClientSession, issuer: TestIssuer, path: str) -> None:
    headers = issuer.headers() if "?" in path else {}
    async with http.get(path, headers=headers) as response:
        assert response.status == (422 if "?" in path else 401)
        assert response.content_type == "application/problem+json"


async def test_a_thousand_idle_readers_on_one_process(
    address: str, service: Any, samples: Any, issuer: TestIssuer, reader: Any
) -> None:
    """Each gets the one event that happens, and none takes a task or a query from the others."""
    timeout = aiohttp.ClientTimeout(total=150)
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=connector, timeout=timeout) as http:
        headers = issuer.headers(9, Role.SALESPERSON)

        async def open_one() -> Any:
            return reader(await http.get(f"{address}/stream", headers=headers))

        readers = [one for _ in range(10) for one in await asyncio.gather(*(open_one() for _ in range(100)))]
        await asyncio.gather(*(one.begin() for one in readers))
        assert service.app.state.feed.listeners == 1000
        await service.say(samples.movement())
        got = await asyncio.gather(*(one.events(1) for one in readers))
        assert {events[0]["id"] for events in got} == {"1"}
        for one in readers:
            one.response.close()
