"""A subscriber that needs nothing of ours but docs/events.md: it says what runs low, as it runs low.

pip install 'faststream[rabbit]'; then BUS_URL=amqp://… python examples/consumer.py
"""

import asyncio
import os
from typing import Any

from faststream import FastStream
from faststream.rabbit import ExchangeType, QueueType, RabbitBroker, RabbitExchange, RabbitMessage, RabbitQueue

broker = RabbitBroker(os.environ["BUS_URL"], logger=None)
events = RabbitExchange("stockbuddy.events", type=ExchangeType.TOPIC, durable=True, declare=False)
# Named and durable: what happens while this program is away waits for it.
queue = RabbitQueue("example.low-stock.v1", queue_type=QueueType.QUORUM, durable=True, routing_key="stock.level.low")


@broker.subscriber(queue, events)
async def tell(level: dict[str, Any], message: RabbitMessage) -> None:
    """An event may come twice: what acts on it should remember `message.message_id`, the same both times."""
    print(f"{level['sku']}: {level['on_hand']} left (event {message.message_id})", flush=True)


if __name__ == "__main__":
    asyncio.run(FastStream(broker).run())
