"""Addresses of several nodes."""

import asyncio

import pytest

from stockbuddy.chassis.messaging.bus.amqp.connection import Connection
from stockbuddy.chassis.runtime.broker_url import broker_urls
from stockbuddy.chassis.testing.probe import GROUPS
from stockbuddy.local_servers.ports import free_port

DEADLINE_SECONDS = 60


def test_url_of_a_cluster_has_the_credentials_for_each_node() -> None:
    assert broker_urls("amqps://ann:a%40b@one,two:5671,[::1]:5673/shop?x=1") == [
        "amqps://ann:a%40b@one/shop?x=1",
        "amqps://ann:a%40b@two:5671/shop?x=1",
        "amqps://ann:a%40b@[::1]:5673/shop?x=1",
    ]


@pytest.mark.parametrize(
    "url", ["redis://one/", "amqp://one,,two/", "amqp://one,two:port/", "amqp:///", "amqp://one:0/"]
)
def test_unusable_address_is_rejected(url: str) -> None:
    with pytest.raises(ValueError):
        broker_urls(url)


@pytest.mark.parametrize("password", ["secret#1", "secret/1", "secret?1", "secret\u2100"])
def test_error_does_not_contain_the_password(password: str) -> None:
    with pytest.raises(ValueError, match="percent-encoded") as found:
        broker_urls(f"amqp://ann:{password}@one/")
    assert "secret" not in str(found.value)
    assert found.value.__context__ is None, "it is logged, too"


async def test_connection_is_opened_to_a_node_that_answers(bus_url: str) -> None:
    """Of three, one refuses connections and one accepts them without a word."""

    async def say_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    silent = await asyncio.start_server(say_nothing, "127.0.0.1", 0)
    async with silent, asyncio.timeout(DEADLINE_SECONDS):
        head, _, address = bus_url.partition("@")
        node, _, host = address.partition("/")
        silent_port = silent.sockets[0].getsockname()[1]
        url = f"{head}@127.0.0.1:{free_port()},127.0.0.1:{silent_port},{node}/{host}"
        connection = Connection(url, service="probe", purpose="publishes", groups=GROUPS)
        opened = await connection.ensure()
        await connection.leave_node(opened)
        assert not connection.is_open
        await connection.leave_node(opened)  # a second user of the same connection
        assert await connection.ensure() is not opened
        await connection.close()
