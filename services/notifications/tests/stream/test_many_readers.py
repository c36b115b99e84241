"""Many idle streams on one process, with the default keep-alive interval."""

import asyncio
from typing import Any

import aiohttp

from stockbuddy.chassis.access.roles import Role
from stockbuddy.chassis.testing.tokens import TestIssuer


async def test_thousand_idle_readers_each_receive_the_event(
    address: str, service: Any, samples: Any, issuer: TestIssuer, reader: Any
) -> None:
    """One published event reaches all readers."""
    timeout = aiohttp.ClientTimeout(total=150)
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=connector, timeout=timeout) as http:

        async def open_one(user_id: int) -> Any:
            return reader(await http.get(f"{address}/stream", headers=issuer.headers(user_id, Role.SALESPERSON)))

        # Of a hundred users, because the streams of one caller are limited.
        readers = [one for _ in range(10) for one in await asyncio.gather(*map(open_one, range(1, 101)))]
        await asyncio.gather(*(one.begin() for one in readers))
        assert service.app.state.services.tail.subscribers == 1000
        await service.publish(samples.movement())
        got = await asyncio.gather(*(one.events(1) for one in readers))
        assert {events[0]["id"] for events in got} == {"1"}
        for one in readers:
            one.response.close()
