"""SSRF protection: deliveries go to public addresses only.

The resolved address is checked when the socket is created, which prevents DNS rebinding between check and use.
"""

import asyncio
import socket
from concurrent.futures import ThreadPoolExecutor
from ipaddress import ip_address
from typing import Any

from aiohttp.abc import AbstractResolver, ResolveResult

from stockbuddy.notifications.errors import AddressNotAllowed
from stockbuddy.notifications.webhooks.special_addresses import is_public

RESOLVE_TIMEOUT_SECONDS = 5


class AddressRejected(OSError):
    """The socket would connect to an address that is not public."""


def is_public_address(address: str) -> bool:
    return is_public(ip_address(address.partition("%")[0]))


def create_public_socket(address_info: tuple[Any, ...]) -> socket.socket:
    """Socket factory of aiohttp. Raises AddressRejected for an address that is not public."""
    family, kind, protocol, _, address = address_info
    if not is_public_address(address[0]):
        raise AddressRejected("the address is not public")
    return socket.socket(family, kind, protocol)


class PooledResolver(AbstractResolver):
    """Resolves host names in its own thread pool, with a thread per webhook: a slow name server of one webhook delays
    neither other webhooks nor other users of the default executor."""

    def __init__(self, threads: int) -> None:
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="webhook-resolver")

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        infos = await asyncio.get_running_loop().run_in_executor(
            self._threads, lambda: socket.getaddrinfo(host, port, family, socket.SOCK_STREAM)
        )
        return [
            ResolveResult(hostname=host, host=address[0], port=address[1], family=kind, proto=protocol, flags=0)
            for kind, _, protocol, _, address in infos
            if isinstance(address[0], str)
        ]

    async def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)


async def require_public_host(host: str, resolver: AbstractResolver) -> None:
    """Raises AddressNotAllowed if the host resolves to addresses none of which is public. This reports a mistake when a
    webhook is created; the protection is `create_public_socket`. A host that does not resolve yet is accepted."""
    try:
        async with asyncio.timeout(RESOLVE_TIMEOUT_SECONDS):
            results = await resolver.resolve(host)
    except (OSError, TimeoutError, UnicodeError):
        return
    if results and not any(is_public_address(result["host"]) for result in results):
        raise AddressNotAllowed()
