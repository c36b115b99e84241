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
_NAT64 = (IPv6Network("64:ff9b::/96"), IPv6Network("64:ff9b:1::/48"))
_V4_COMPATIBLE = IPv6Network("::/96")


class AddressRefused(OSError):
    """The socket would lead to an address that webhooks may not go to."""


def is_public(address: str) -> bool:
    """True for an address of the public internet. IPv6 forms that lead to an IPv4 address count as that."""
    found = ip_address(address.partition("%")[0])
    return all(_is_public(form) for form in (found, *_embedded(found)))


def _is_public(address: IPv4Address | IPv6Address) -> bool:
    if isinstance(address, IPv6Address) and address.is_site_local:
        return False
    return address.is_global and not address.is_multicast


def _embedded(address: IPv4Address | IPv6Address) -> list[IPv4Address]:
    """The IPv4 addresses that an IPv6 address would be translated or tunnelled to."""
    if isinstance(address, IPv4Address):
        return []
    forms = [address.ipv4_mapped, address.sixtofour, *(address.teredo or ())]
    if any(address in network for network in _NAT64) or address in _V4_COMPATIBLE:
        forms.append(IPv4Address(int(address) & 0xFFFFFFFF))
    return [form for form in forms if form is not None]


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
