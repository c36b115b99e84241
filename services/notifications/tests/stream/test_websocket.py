"""GET /ws: the stream over WebSocket."""

import json
from typing import Any

import aiohttp
import pytest

from stockbuddy.chassis.access.roles import Role
from stockbuddy.chassis.runtime.shutdown import DrainingServer
from stockbuddy.chassis.testing.tokens import TestIssuer
from stockbuddy.contracts.auth import SessionRevoked


async def receive(socket: aiohttp.ClientWebSocketResponse) -> dict[str, Any]:
    message: dict[str, Any] = json.loads(await socket.receive_str(timeout=60))
    return message


async def subscribed(service: Any, until: Any) -> None:
    async def look() -> bool:
        return bool(service.app.state.services.tail.subscribers)

    await until(look)


async def test_message_contains_id_event_and_data(
    http: aiohttp.ClientSession, service: Any, samples: Any, issuer: TestIssuer, until: Any
) -> None:
    async with http.ws_connect("ws", headers=issuer.headers(9, Role.SALESPERSON)) as socket:
        await subscribed(service, until)
        [sent] = await service.publish(samples.movement())
        message = await receive(socket)
    assert (message["id"], message["event"]) == ("1", "stock.movement.posted")
    assert message["data"]["id"] == sent.id
    assert "clientip" not in message["data"]


async def test_socket_resumes_without_gap_or_repeat(
    http: aiohttp.ClientSession, service: Any, samples: Any, issuer: TestIssuer
) -> None:
    await service.publish(*(samples.movement(number) for number in range(5)))
    async with http.ws_connect("ws", headers={**issuer.headers(), "Last-Event-ID": "2"}) as socket:
        assert [(await receive(socket))["id"] for _ in range(3)] == ["3", "4", "5"]
    async with http.ws_connect("ws?after=4&types=stock.*", headers=issuer.headers()) as socket:
        assert (await receive(socket))["id"] == "5"
        await service.publish(samples.movement())
        assert (await receive(socket))["id"] == "6"


async def test_client_messages_are_ignored(
    http: aiohttp.ClientSession, service: Any, samples: Any, issuer: TestIssuer, until: Any
) -> None:
    async with http.ws_connect("ws", headers=issuer.headers()) as socket:
        await socket.send_str("hello")
        await socket.send_bytes(b"\x00")
        await subscribed(service, until)
        await service.publish(samples.movement())
        assert (await receive(socket))["id"] == "1"


async def test_socket_closes_when_the_session_is_revoked(
    http: aiohttp.ClientSession, service: Any, issuer: TestIssuer, until: Any
) -> None:
    async with http.ws_connect("ws", headers=issuer.headers(9, session_id="mine")) as socket:
        await subscribed(service, until)
        await service.publish(SessionRevoked(session_id="mine", user_id=9, reason="logout"))
        message = await socket.receive(timeout=60)
        assert (message.type, message.data) == (aiohttp.WSMsgType.CLOSE, 1008)


async def test_socket_closes_when_the_token_expires(http: aiohttp.ClientSession, issuer: TestIssuer) -> None:
    for headers in issuer.expiring_headers(9):
        try:
            socket = await http.ws_connect("ws", headers=headers)
            break
        except aiohttp.WSServerHandshakeError:
            continue
    message = await socket.receive(timeout=60)
    assert (message.type, message.data) == (aiohttp.WSMsgType.CLOSE, 1008)


async def test_shutdown_closes_the_socket_with_service_restart(
    http: aiohttp.ClientSession, service: Any, server: DrainingServer, issuer: TestIssuer, until: Any
) -> None:
    async with http.ws_connect("ws", headers=issuer.headers()) as socket:
        await subscribed(service, until)
        server.should_exit = True
        message = await socket.receive(timeout=60)
        assert (message.type, message.data) == (aiohttp.WSMsgType.CLOSE, 1012)


async def test_disconnected_socket_unsubscribes(
    http: aiohttp.ClientSession, service: Any, issuer: TestIssuer, until: Any
) -> None:
    async with http.ws_connect("ws", headers=issuer.headers()):
        await subscribed(service, until)

    async def unsubscribed() -> bool:
        return not service.app.state.services.tail.subscribers

    await until(unsubscribed)


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer forged"}])
async def test_socket_without_valid_token_is_rejected(http: aiohttp.ClientSession, headers: dict[str, str]) -> None:
    with pytest.raises(aiohttp.WSServerHandshakeError) as rejected:
        await http.ws_connect("ws", headers=headers)
    assert rejected.value.status == 401


async def test_cursor_that_the_log_does_not_know_resets_the_socket(
    http: aiohttp.ClientSession, service: Any, samples: Any, issuer: TestIssuer
) -> None:
    async with http.ws_connect("ws?after=5000", headers=issuer.headers()) as socket:
        assert await receive(socket) == {"id": "0", "event": "stream.reset", "data": {"head": "0"}}
        await service.publish(samples.movement())
        assert (await receive(socket))["id"] == "1"
