"""The example consumer, which uses nothing but the documented contract, receives events."""

import asyncio
import json
import os
import sys
from pathlib import Path
from urllib.parse import urlsplit

from stockbuddy.chassis.messaging.bus.amqp import AmqpBus
from stockbuddy.chassis.messaging.message import Message
from stockbuddy.contracts.topology import EVENTS_PUBLISHER

EXAMPLE = Path(__file__).parents[2] / "examples" / "consumer.py"


async def test_example_consumer_prints_low_stock_event(bus_url: str) -> None:
    bus = AmqpBus(bus_url, name=EVENTS_PUBLISHER, groups={})
    await bus.start()
    publish = bus.publish_externally
    assert publish is not None
    process = await asyncio.create_subprocess_exec(
        sys.executable, EXAMPLE, env={**os.environ, "BUS_URL": bus_url}, stdout=asyncio.subprocess.PIPE
    )
    try:
        assert process.stdout is not None
        output = asyncio.create_task(process.stdout.readline())
        async with asyncio.timeout(60):
            while not output.done():
                await publish([low_level()])
                await asyncio.wait([output], timeout=0.2)  # repeated until its queue exists
        assert output.result().decode().startswith("MUG-1: 2 left (event 0199")
    finally:
        process.kill()
        await process.wait()
        await bus.close()


async def test_example_consumer_reports_a_wrong_password_and_retries(bus_url: str) -> None:
    parts = urlsplit(bus_url)
    url = parts._replace(netloc=f"{parts.username}:of-a-typo@{parts.hostname}:{parts.port}").geturl()
    process = await asyncio.create_subprocess_exec(
        sys.executable, EXAMPLE, env={**os.environ, "BUS_URL": url}, stderr=asyncio.subprocess.PIPE
    )
    try:
        assert process.stderr is not None
        lines: list[str] = []
        async with asyncio.timeout(60):
            while sum(line.startswith("BUS_URL: ") for line in lines) < 2:
                lines.append((await process.stderr.readline()).decode())
                assert process.returncode is None, lines
        output = "".join(lines)
        assert "ACCESS_REFUSED" in output
        assert "trying again in 5 s" in output
        assert "Traceback" not in output
        assert "of-a-typo" not in output
    finally:
        process.kill()
        await process.wait()


def low_level() -> Message:
    event_id = "01991c00-0000-7000-8000-000000000001"
    headers = {"id": event_id, "type": "stock.level.low", "source": "/services/stock", "partitionkey": "product/1"}
    return Message(event_id, "stock.level.low", headers, json.dumps({"sku": "MUG-1", "on_hand": 2}).encode())
