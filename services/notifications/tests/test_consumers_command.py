"""`consumers add`: its output, and its refusals."""

import asyncio
import re
import secrets
from urllib.parse import urlsplit

import aio_pika
import pytest

from stockbuddy.chassis.messaging.bus.amqp.topology import declare_events_exchange
from stockbuddy.local_servers.virtual_hosts import VirtualHosts
from stockbuddy.notifications.consumers_command import run_command


async def declare_exchange(bus_url: str) -> None:
    async with await aio_pika.connect(bus_url) as connection, connection.channel() as channel:
        await declare_events_exchange(channel)


def test_command_prints_the_address_with_the_password_once(
    rabbitmq: VirtualHosts, bus_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    name, address = f"till-{secrets.token_hex(4)}", urlsplit(bus_url)
    monkeypatch.setenv("BUS_MANAGEMENT_URL", rabbitmq.management_url)
    with pytest.raises(SystemExit, match="start the services first"):
        run_command(["add", name, "stock.sale.*"], bus_url)
    asyncio.run(declare_exchange(bus_url))
    server = f"{address.hostname}:{address.port}{address.path}"
    try:
        run_command(["add", name, "stock.sale.*", "catalog.#"], bus_url)
        lines = capsys.readouterr().out.splitlines()
        assert lines[0] == f"{name}.v1 receives stock.sale.*, catalog.#."
        assert re.fullmatch(rf"BUS_URL=amqp://{name}:[\w-]{{20,}}@{re.escape(server)}", lines[1])
        run_command(["add", name, "stock.sale.*"], bus_url)
        assert f"{name}:(unchanged)@{server}" in capsys.readouterr().out
    finally:
        rabbitmq.delete_user(name)


def test_command_names_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("BUS_MANAGEMENT_URL", raising=False)
    for arguments in ([], ["add", "till"], ["remove", "till", "stock.*"]):
        with pytest.raises(SystemExit, match="usage: "):
            run_command(arguments, "amqp://localhost/")
    with pytest.raises(SystemExit, match="BUS_MANAGEMENT_URL"):
        run_command(["add", "till", "stock.*"], "amqp://localhost/")
