"""`python -m stockbuddy.notifications consumers add NAME PATTERN…`: a broker account for a consumer of events."""

import asyncio
import sys
from collections.abc import Sequence
from urllib.parse import unquote, urlsplit

from pydantic_settings import BaseSettings, SettingsConfigDict

from stockbuddy.chassis.messaging.bus.amqp.consumer_accounts import ConsumerRefused, add_consumer
from stockbuddy.chassis.runtime.broker_url import broker_urls
from stockbuddy.contracts.topology import consumer_queue

USAGE = "usage: python -m stockbuddy.notifications consumers add NAME PATTERN…"


class ManagementSettings(BaseSettings):
    """`bus_management_url`: RabbitMQ's management API, as `http://operator:password@host:15672`."""

    model_config = SettingsConfigDict(extra="ignore")

    bus_management_url: str = ""


def run_command(arguments: Sequence[str], bus_url: str | None) -> None:
    """Exits with a message if the consumer can't be created."""
    if arguments[:1] != ["add"] or len(arguments) < 3:
        sys.exit(USAGE)
    management_url = ManagementSettings().bus_management_url
    if not management_url or not bus_url:
        sys.exit("BUS_URL and BUS_MANAGEMENT_URL (http://operator:password@host:15672) are required")
    _, name, *patterns = arguments
    nodes = [urlsplit(url) for url in broker_urls(bus_url)]
    address = nodes[0]
    try:
        password = asyncio.run(add_consumer(management_url, unquote(address.path[1:]) or "/", name, patterns))
    except ConsumerRefused as error:
        sys.exit(str(error))
    server = ",".join(f"{node.hostname}:{node.port or 5672}" for node in nodes) + address.path
    sys.stdout.write(
        f"{consumer_queue(name)} receives {', '.join(patterns)}.\n"
        f"BUS_URL={address.scheme}://{name}:{password or '(unchanged)'}@{server}\n"
    )
