"""A consumer that depends only on the contract in docs/events.md: prints products with low stock.

pip install 'faststream[rabbit]'; then BUS_URL=amqp://… python examples/consumer.py
"""

import asyncio
import os
import sys
from typing import Any

from aiormq.exceptions import AMQPError
from faststream import FastStream
from faststream.rabbit import ExchangeType, QueueType, RabbitBroker, RabbitExchange, RabbitMessage, RabbitQueue

RETRY_INTERVAL_SECONDS = 5

broker = RabbitBroker(os.environ["BUS_URL"], logger=None)
events = RabbitExchange("stockbuddy.events", type=ExchangeType.TOPIC, durable=True, declare=False)
# Durable: events that arrive while this program is not running stay in the queue.
queue = RabbitQueue("example.low-stock.v1", queue_type=QueueType.QUORUM, durable=True, routing_key="stock.level.low")


@broker.subscriber(queue, events)
async def print_low_level(level: dict[str, Any], message: RabbitMessage) -> None:
    """Delivery is at-least-once: deduplicate by `message.message_id` before acting on an event."""
    print(f"{level['sku']}: {level['on_hand']} left (event {message.message_id})", flush=True)


async def main() -> None:
    """Start, again after each refusal, such as a wrong password. FastStream itself waits for an unreachable broker."""
    while True:
        try:
            await FastStream(broker).run()
        except (AMQPError, OSError) as error:
            print(f"BUS_URL: {error}; trying again in {RETRY_INTERVAL_SECONDS} s", file=sys.stderr, flush=True)
            await asyncio.sleep(RETRY_INTERVAL_SECONDS)
        else:
            return


if __name__ == "__main__":
    asyncio.run(main())
