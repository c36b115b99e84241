"""Waiting for buses that connect in the background."""

import asyncio

from stockbuddy.chassis.messaging.bus import Bus

DEADLINE_SECONDS = 60


async def until_connected(*buses: Bus) -> None:
    """Wait until every bus is ready."""
    async with asyncio.timeout(DEADLINE_SECONDS):
        while not all(bus.is_ready for bus in buses):
            await asyncio.sleep(0.02)
