"""What the client used, address, scheme and path prefix: of the connection, or what a trusted proxy reports."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address

from starlette.types import Scope

from stockbuddy.gateway.settings import Network

UNKNOWN_ADDRESS = "0.0.0.0"
"""Address of a Unix socket's peer."""

_ADDRESS = re.compile(r'"?(?:\[([0-9A-Fa-f:.]+)(?:%[\w.-]+)?\](?::\d+)?|(\d+\.\d+\.\d+\.\d+):\d+|([0-9A-Fa-f:.]+))"?')
"""As proxies write it: with or without port, IPv6 in brackets, quoted in `Forwarded`."""
_PREFIX = re.compile(rb"(?:/[A-Za-z0-9._~-]+)+")


@dataclass(frozen=True, slots=True)
class ClientOrigin:
    """`path_prefix`: the path under which a proxy publishes the gateway, as `/shop`; "" if there is none."""

    address: str
    scheme: str
    path_prefix: str


class ClientOrigins:
    """Reads `X-Forwarded-For`, `-Proto` and `-Prefix`, or `Forwarded` (RFC 7239) without them, from trusted networks
    only. Addresses are read from the right: the client itself may have sent the entries further left."""

    def __init__(self, trusted: Sequence[Network], *, root_path: str) -> None:
        self._trusted = tuple(trusted)
        self._root_path = root_path

    def resolve(self, scope: Scope, headers: dict[bytes, bytes]) -> ClientOrigin:
        """`headers` by lower-case name."""
        peer = _peer(scope)
        scheme = "https" if scope["scheme"] in ("https", "wss") else "http"
        if not self._trusted or not self._trusts(peer):
            return ClientOrigin(str(peer), scheme, self._root_path)
        forwarded = _parse_forwarded(headers.get(b"forwarded", b""))
        entries = _list(headers[b"x-forwarded-for"]) if b"x-forwarded-for" in headers else forwarded["for"]
        protocols = _list(headers[b"x-forwarded-proto"]) if b"x-forwarded-proto" in headers else forwarded["proto"]
        if protocols and protocols[0].lower() in ("http", "https"):
            scheme = protocols[0].lower()
        prefix = headers.get(b"x-forwarded-prefix", b"").rstrip(b"/")
        path_prefix = prefix.decode() if _PREFIX.fullmatch(prefix) else self._root_path
        return ClientOrigin(str(self._last_untrusted(peer, entries)), scheme, path_prefix)

    def _last_untrusted(self, peer: IPv4Address | IPv6Address, entries: Sequence[str]) -> IPv4Address | IPv6Address:
        address = peer
        for entry in reversed(entries):
            parsed = parse_address(entry)
            if parsed is None:
                return address
            address = parsed
            if not self._trusts(address):
                return address
        return address

    def _trusts(self, address: IPv4Address | IPv6Address) -> bool:
        return any(address in network for network in self._trusted)


def parse_address(text: str) -> IPv4Address | IPv6Address | None:
    """An address with or without a port; an IPv4-mapped one as IPv4. None if it is none."""
    found = _ADDRESS.fullmatch(text)
    try:
        address = ip_address(found[1] or found[2] or found[3]) if found else None
    except ValueError:
        return None
    return _unmapped(address) if address is not None else None


def _peer(scope: Scope) -> IPv4Address | IPv6Address:
    try:
        return _unmapped(ip_address(scope["client"][0].partition("%")[0]))
    except (ValueError, TypeError, KeyError):
        return ip_address(UNKNOWN_ADDRESS)


def _unmapped(address: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    return (address.ipv4_mapped or address) if isinstance(address, IPv6Address) else address


def _list(value: bytes) -> list[str]:
    return [entry.strip() for entry in value.decode("latin-1").split(",")]


def _parse_forwarded(value: bytes) -> dict[str, list[str]]:
    """The `for` and `proto` parameters of all elements, in order."""
    parameters: Iterable[str] = (
        part.strip() for element in value.decode("latin-1").split(",") for part in element.split(";")
    )
    found: dict[str, list[str]] = {"for": [], "proto": []}
    for parameter in parameters:
        name, _, text = parameter.partition("=")
        if name.lower() in found:
            found[name.lower()].append(text.strip().strip('"'))
    return found
