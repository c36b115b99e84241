"""The address of the socket decides, not the result of an earlier resolution."""

import socket
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from aiohttp.abc import AbstractResolver, ResolveResult

from stockbuddy.notifications.errors import AddressNotAllowed
from stockbuddy.notifications.webhooks.attempt import PendingDelivery, attempt_delivery
from stockbuddy.notifications.webhooks.egress_policy import (
    PooledResolver,
    create_public_socket,
    is_public_address,
    require_public_host,
)
from stockbuddy.notifications.webhooks.model import new_secret


@pytest.mark.parametrize(
    "address",
    [
        "93.184.216.34",
        "8.8.8.8",
        "2606:2800:220:1:248:1893:25c8:1946",
        "64:ff9b::808:808",
        "::ffff:8.8.8.8",
        "2002:808:808::1",
    ],
)
def test_public_address_is_allowed(address: str) -> None:
    assert is_public_address(address)


@pytest.mark.parametrize(
    "address",
    [
        *("192.0.0.192", "192.0.0.9", "192.88.99.1", "192.52.193.1", "198.19.255.255", "2002:c000:c0::1"),
        *("64:ff9b::c000:c0", "2001:1::1", "2001:20::1", "3fff::1", "5f00::1", "2620:4f:8000::1", "100::1"),
        *("2606:2800::5efe:a00:1", "2606:2800::200:5efe:7f00:1", "::ffff:192.0.0.192"),
        *("127.0.0.1", "0.0.0.0", "100.64.0.1", "169.254.169.254", "224.0.0.1", "240.0.0.1", "255.255.255.255"),
        *("::", "::1", "::127.0.0.1", "::ffff:10.0.0.1", "::ffff:0:127.0.0.1", "fe80::1%eth0", "fc00::1", "fec0::1"),
        *("64:ff9b::a00:1", "64:ff9b:1::1", "2002:a00:1::", "2001:0:808:808::1", "2001:db8::1", "4000::1", "ff0e::1"),
    ],
)
def test_private_or_special_address_is_rejected(address: str) -> None:
    assert not is_public_address(address)


class PrivateResolver(AbstractResolver):
    """Resolves every name to this machine, as an attacker's name server may."""

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        return [ResolveResult(hostname=host, host="127.0.0.1", port=port, family=family, proto=0, flags=0)]

    async def close(self) -> None:
        pass


@pytest.fixture
async def client() -> AsyncIterator[aiohttp.ClientSession]:
    connector = aiohttp.TCPConnector(resolver=PrivateResolver(), socket_factory=create_public_socket)
    async with aiohttp.ClientSession(connector=connector, timeout=aiohttp.ClientTimeout(total=5)) as client:
        yield client


@pytest.mark.parametrize("host", ["public.example.com", "127.0.0.1", "[::1]", "[::ffff:127.0.0.1]"])
async def test_connection_to_a_private_address_is_rejected_after_resolution(
    client: aiohttp.ClientSession, receiver: Any, host: str
) -> None:
    port = receiver.url.split(":")[2].partition("/")[0]
    delivery = PendingDelivery(
        delivery_id=1,
        event_id="id",
        url=f"http://{host}:{port}/hook",
        secrets=(new_secret(),),
        attempt=1,
        previous_attempt_at=None,
        body="{}",
    )
    result = await attempt_delivery(client, delivery)
    assert (result.status_code, result.error) == (None, "the address is not public")
    assert receiver.received == []


async def test_host_check_rejects_private_and_accepts_unresolved_names() -> None:
    resolver = PooledResolver(2)
    try:
        with pytest.raises(AddressNotAllowed):
            await require_public_host("localhost", resolver)
        await require_public_host("nowhere.invalid", resolver)
    finally:
        await resolver.close()
