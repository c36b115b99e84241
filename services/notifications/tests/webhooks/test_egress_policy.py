"""What counts is the address that a socket is made for, not what a name said when it was asked."""

import socket
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from aiohttp.abc import AbstractResolver, ResolveResult

from stockbuddy.notifications.errors import AddressNotAllowed
from stockbuddy.notifications.webhooks.egress_policy import PatientResolver, is_public, public_socket, refuse_inside
from stockbuddy.notifications.webhooks.attempt import Parcel, attempt
from stockbuddy.notifications.webhooks.model import new_secret


@pytest.mark.parametrize(
    "address", ["93.184.216.34", "8.8.8.8", "2606:2800:220:1:248:1893:25c8:1946", "64:ff9b::808:808", "::ffff:8.8.8.8"]
)
def test_public_addresses(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    "address",
    [
        *("127.0.0.1", "0.0.0.0", "100.64.0.1", "169.254.169.254", "224.0.0.1", "240.0.0.1", "255.255.255.255"),
        *("::", "::1", "::127.0.0.1", "::ffff:10.0.0.1", "::ffff:0:127.0.0.1", "fe80::1%eth0", "fc00::1", "fec0::1"),
        *("64:ff9b::a00:1", "64:ff9b:1::1", "2002:a00:1::", "2001:0:808:808::1", "2001:db8::1", "4000::1", "ff0e::1"),
    ],
)
def test_addresses_that_lead_inside(address: str) -> None:
    assert not is_public(address)


class LyingResolver(AbstractResolver):
    """A name server that says what it likes: here, that the name is this machine."""

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        return [ResolveResult(hostname=host, host="127.0.0.1", port=port, family=family, proto=0, flags=0)]

    async def close(self) -> None:
        pass


@pytest.fixture
async def client() -> AsyncIterator[aiohttp.ClientSession]:
    connector = aiohttp.TCPConnector(resolver=LyingResolver(), socket_factory=public_socket)
    async with aiohttp.ClientSession(connector=connector, timeout=aiohttp.ClientTimeout(total=5)) as client:
        yield client


@pytest.mark.parametrize("host", ["public.example.com", "127.0.0.1", "[::1]", "[::ffff:127.0.0.1]"])
async def test_no_connection_is_made_to_where_a_name_leads_now(
    client: aiohttp.ClientSession, receiver: Any, host: str
) -> None:
    port = receiver.url.split(":")[2].partition("/")[0]
    parcel = Parcel(1, "id", f"http://{host}:{port}/hook", (new_secret(),), 1, "{}")
    outcome = await attempt(client, parcel)
    assert (outcome.status_code, outcome.error) == (None, "the address is not public")
    assert receiver.received == []


async def test_the_early_advice_resolves_names() -> None:
    resolver = PatientResolver(2)
    try:
        with pytest.raises(AddressNotAllowed):
            await refuse_inside("localhost", resolver)
        await refuse_inside("nowhere.invalid", resolver)
    finally:
        await resolver.close()
