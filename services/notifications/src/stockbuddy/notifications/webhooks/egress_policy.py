"""Which addresses webhooks may go to: public ones, checked at the moment a socket is made for them.

Whatever a name resolved to earlier, whatever an address is dressed up as in IPv6: what counts is the address of the
very socket. That leaves rebinding no gap between the check and the use.
"""

import asyncio
import socket
from concurrent.futures import ThreadPoolExecutor
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import Any

from aiohttp.abc import AbstractResolver, ResolveResult

from stockbuddy.notifications.errors import AddressNotAllowed

RESOLVE_SECONDS = 5
_NAT64 = IPv6Network("64:ff9b::/96")
_GLOBAL_UNICAST = IPv6Network("2000::/3")
"""All of IPv6 that has been given out (RFC 4291 §2.4); the rest is special, or will be."""


class AddressRefused(OSError):
    """The socket would lead to an address that webhooks may not go to."""


def is_public(address: str) -> bool:
    """True for an address of the public internet. IPv6 forms that lead to an IPv4 address count as that."""
    found = ip_address(address.partition("%")[0])
    if isinstance(found, IPv4Address):
        return _is_public(found)
    led_to = _led_to(found)
    if led_to is not None:
        return _is_public(led_to)
    return found in _GLOBAL_UNICAST and found.teredo is None and _is_public(found)


def _is_public(address: IPv4Address | IPv6Address) -> bool:
    return address.is_global and not address.is_multicast


def _led_to(address: IPv6Address) -> IPv4Address | None:
    """The IPv4 address that an IPv6 address is translated or tunnelled to, if it is of such a kind."""
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour


def public_socket(address_info: tuple[Any, ...]) -> socket.socket:
    """A socket for aiohttp to connect with. Raises AddressRefused instead of making one that leads inside."""
    family, kind, protocol, _, address = address_info
    if not is_public(address[0]):
        raise AddressRefused("the address is not public")
    return socket.socket(family, kind, protocol)


class PatientResolver(AbstractResolver):
    """Resolves names in threads of its own, as many as there may be webhooks: a name server that keeps one of them
    waiting keeps no other."""

    def __init__(self, threads: int) -> None:
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="webhook-names")

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        found = await asyncio.get_running_loop().run_in_executor(
            self._threads, lambda: socket.getaddrinfo(host, port, family, socket.SOCK_STREAM)
        )
        return [
            ResolveResult(hostname=host, host=address[0], port=address[1], family=kind, proto=protocol, flags=0)
            for kind, _, protocol, _, address in found
            if isinstance(address[0], str)
        ]

    async def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)


async def refuse_inside(host: str, resolver: AbstractResolver) -> None:
    """Early advice for whoever registers a webhook; what protects is the check of the socket.
    Raises AddressNotAllowed when the name leads nowhere but inside; one that leads nowhere yet may pass."""
    try:
        async with asyncio.timeout(RESOLVE_SECONDS):
            found = await resolver.resolve(host)
    except (OSError, TimeoutError, UnicodeError):
        return
    if found and not any(is_public(result["host"]) for result in found):
        raise AddressNotAllowed()
