"""GET /ws: the stream over WebSocket."""

import json
from typing import Any

import aiohttp
import pytest

from stockbuddy.chassis.http.tokens import Role
from stockbuddy.chassis.runtime.shutdown import DrainingServer
from stockbuddy.chassis.testing.tokens import TestIssuer
from stockbuddy.contracts.auth import SessionRevoked


async def receive(socket: aiohttp.ClientWebSocketResponse) -> dict[str, Any]:
    message: dict[str, Any] = json.loads(await socket.receive_str(timeout=10))
    return message


async def listening(service: Any, until: Any) -> None:
    async def look() -> bool:
        return bool(service.app.state.feed.listeners)

    await until(look)


async def test_an_event_is_a_message_with_id_event_and_data(
    http: aiohttp.ClientSession, service: Any, samples: Any, issuer: TestIssuer, until: Any
) -> None:
    async with http.ws_connect("ws", headers=issuer.headers(9, Role.SALESPERSON)) as socket:
        await listening(service, until)
        [sent] = await service.say(samples.movement())
        message = await receive(socket)
    assert (message["id"], message["event"]) == ("1", "stock.movement.posted")
    assert message["data"]["id"] == sent.id
    assert "clientip" not in message["data"]


async def test_it_resumes_without_gap_or_repeat(
    http: aiohttp.ClientSession, service: Any, samples: Any, issuer: TestIssuer
) -> None:
    await service.say(*(samples.movement(number) for number in range(5)))
    async with http.ws_connect("ws", headers={**issuer.headers(), "Last-Event-ID": "2"}) as socket:
        assert [(await receive(socket))["id"] for _ in range(3)] == ["3", "4", "5"]
    async with http.ws_connect("ws?after=4&types=stock.*", headers=issuer.headers()) as socket:
        assert (await receive(socket))["id"] == "5"
        await service.say(samples.movement())
        assert (await receive(socket))["id"] == "6"


async def test_what_the_client_says_is_ignored(
    http: aiohttp.ClientSession, service: Any, samples: Any, issuer: TestIssuer, until: Any
) -> None:
    async with http.ws_connect("ws", headers=issuer.headers()) as socket:
        await socket.send_str("hello")
        await socket.send_bytes(b"\x00")
        await listening(service, until)
        await service.say(samples.movement())
        assert (await receive(socket))["id"] == "1"


async def test_it_is_closed_when_the_session_is_revoked(
    http: aiohttp.ClientSession, service: Any, issuer: TestIssuer, until: Any
) -> None:
    async with http.ws_connect("ws", headers=issuer.headers(9, session_id="mine")) as socket:
        await listening(service, until)
        await service.say(SessionRevoked(session_id="mine", user_id=9, reason="logout"))
        message = await socket.receive(timeout=10)
        assert (message.type, message.data) == (aiohttp.WSMsgType.CLOSE, 1008)


async def test_it_is_closed_when_the_token_expires(http: aiohttp.ClientSession, issuer: TestIssuer) -> None:
    async with http.ws_connect("ws", headers=issuer.headers(9, lifetime_seconds=2)) as socket:
        message = await socket.receive(timeout=10)
        assert (message.type, message.data) == (aiohttp.WSMsgType.CLOSE, 1008)


async def test_whoever_stops_the_process_says_that_the_session_goes_on(
    http: aiohttp.ClientSession, service: Any, server: DrainingServer, issuer: TestIssuer, until: Any
) -> None:
    async with http.ws_connect("ws", headers=issuer.headers()) as socket:
        await listening(service, until)
        server.should_exit = True
        message = await socket.receive(timeout=10)
        assert (message.type, message.data) == (aiohttp.WSMsgType.CLOSE, 1012)


async def test_one_that_leaves_is_forgotten(
    http: aiohttp.ClientSession, service: Any, issuer: TestIssuer, until: Any
) -> None:
    async with http.ws_connect("ws", headers=issuer.headers()):
        await listening(service, until)

    async def forgotten() -> bool:
        return not service.app.state.feed.listeners

    await until(forgotten)


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer forged"}])
async def test_without_a_valid_token_there_is_no_socket(http: aiohttp.ClientSession, headers: dict[str, str]) -> None:
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        await http.ws_connect("ws", headers=headers)
    assert refused.value.status == 401
