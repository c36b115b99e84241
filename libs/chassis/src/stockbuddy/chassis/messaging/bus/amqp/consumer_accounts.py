"""Creates broker accounts for consumers outside the system: user, queue and permissions, through RabbitMQ's management
API. What the account may do: docs/events.md."""

import base64
import re
import secrets
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any
from urllib.parse import quote, unquote, urlsplit

import aiohttp

from stockbuddy.chassis.messaging.bus.amqp.permissions import NOTHING, BrokerPermissions
from stockbuddy.chassis.messaging.bus.amqp.topology import QUORUM
from stockbuddy.contracts import topology

TIMEOUT_SECONDS = 10.0
PASSWORD_BYTES = 24
_NAME = re.compile(r"[a-z][a-z0-9-]{1,40}")
_RESERVED = frozenset({*topology.PRODUCERS, "gateway", "operator", "guest", "stockbuddy", "amq"})
_PATTERN = re.compile(r"(?:[a-z0-9_]+|\*|#)(?:\.(?:[a-z0-9_]+|\*|#))*")


class ConsumerRefused(Exception):
    """The consumer can't be created; the message says why and what to do."""


class BrokerManagement:
    """The management API at `url`, which contains the credentials of an administrator, for one virtual host."""

    def __init__(self, client: aiohttp.ClientSession, url: str, virtual_host: str) -> None:
        parts = urlsplit(url)
        self._client = client
        self._url = parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl().rstrip("/")
        credentials = f"{unquote(parts.username or '')}:{unquote(parts.password or '')}"
        self._headers = {"Authorization": "Basic " + base64.b64encode(credentials.encode()).decode()}
        self.host = quote(virtual_host, safe="")

    async def call(self, method: str, path: str, body: Any = None) -> Any:
        """The response's JSON; None for 404. Raises ConsumerRefused."""
        url = f"{self._url}/api/{path}"
        try:
            async with self._client.request(method, url, json=body, headers=self._headers) as response:
                if response.status == 404:
                    return None
                if response.status >= 400:
                    raise ConsumerRefused(f"{self._url} answered {response.status} to {method} {path}")
                return await response.json() if method == "GET" else True
        except (aiohttp.ClientError, TimeoutError) as error:
            raise ConsumerRefused(f"{self._url}: {error!r}; compare BUS_MANAGEMENT_URL") from error


async def add_consumer(management_url: str, virtual_host: str, name: str, patterns: Sequence[str]) -> str | None:
    """Create the account or change its patterns. Returns the password of a new user, None if the user exists.
    Raises ConsumerRefused."""
    _validate(name, patterns)
    timeout = aiohttp.ClientTimeout(total=TIMEOUT_SECONDS)
    async with aiohttp.ClientSession(timeout=timeout) as client:
        broker = BrokerManagement(client, management_url, virtual_host)
        await _declare_queue(broker, topology.consumer_queue(name), patterns)
        password = None
        if await broker.call("GET", f"users/{name}") is None:
            password = secrets.token_urlsafe(PASSWORD_BYTES)
            await broker.call("PUT", f"users/{name}", {"password": password, "tags": ""})
        await _permit(broker, name, patterns)
    return password


def _validate(name: str, patterns: Sequence[str]) -> None:
    if not _NAME.fullmatch(name) or name in _RESERVED:
        raise ConsumerRefused(f"{name!r}: a name has 2 to 41 characters (a-z, 0-9, -) and is no service's or user's")
    if not patterns:
        raise ConsumerRefused("at least one pattern is required, such as stock.sale.* or catalog.#")
    for pattern in patterns:
        if not _PATTERN.fullmatch(pattern):
            raise ConsumerRefused(f"{pattern!r} is no pattern; * is one word, # any number of words: stock.sale.*")


async def _permit(broker: BrokerManagement, name: str, patterns: Sequence[str]) -> None:
    own = f"{re.escape(name)}\\..+"
    permissions = BrokerPermissions(f"^{own}$", f"^{own}$", f"^({own}|{re.escape(topology.EVENTS_EXCHANGE)})$")
    await broker.call("PUT", f"permissions/{broker.host}/{name}", asdict(permissions))
    topics = {
        "exchange": topology.EVENTS_EXCHANGE,
        "write": NOTHING,
        "read": f"^({'|'.join(map(re.escape, patterns))})$",
    }
    await broker.call("PUT", f"topic-permissions/{broker.host}/{name}", topics)


async def _declare_queue(broker: BrokerManagement, queue: str, patterns: Sequence[str]) -> None:
    """With exactly these bindings."""
    path = f"queues/{broker.host}/{queue}"
    await broker.call("PUT", path, {"durable": True, "arguments": QUORUM})
    bindings = f"bindings/{broker.host}/e/{topology.EVENTS_EXCHANGE}/q/{queue}"
    existing = {binding["routing_key"]: binding["properties_key"] for binding in await broker.call("GET", bindings)}
    for pattern in patterns:
        if pattern not in existing and await broker.call("POST", bindings, {"routing_key": pattern}) is None:
            raise ConsumerRefused(f"{topology.EVENTS_EXCHANGE} does not exist; start the services first")
    for pattern in sorted(existing.keys() - set(patterns)):
        await broker.call("DELETE", f"{bindings}/{quote(existing[pattern], safe='')}")
