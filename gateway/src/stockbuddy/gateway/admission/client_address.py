"""Client address and scheme: the connection's, or those that a trusted proxy reports."""

from collections.abc import Sequence
from ipaddress import ip_address

from starlette.types import Scope

from stockbuddy.gateway.settings import Network

UNKNOWN_ADDRESS = "0.0.0.0"
"""Address of a Unix socket's peer."""


class ClientAddresses:
    """Reads `X-Forwarded-For` and `X-Forwarded-Proto` from trusted networks only. `X-Forwarded-For` is read from the
    right: the client itself may have sent the entries further left."""

    def __init__(self, trusted: Sequence[Network]) -> None:
        self._trusted = tuple(trusted)

    def resolve(self, scope: Scope, forwarded_for: bytes | None, forwarded_proto: bytes | None) -> tuple[str, str]:
        """The client's address, and the scheme it used."""
        peer = scope["client"][0] if scope.get("client") else UNKNOWN_ADDRESS
        scheme = "https" if scope["scheme"] in ("https", "wss") else "http"
        if not self._trusted or not self._trusts(peer):
            return peer, scheme
        if forwarded_proto in (b"http", b"https"):
            scheme = forwarded_proto.decode()
        return self._last_untrusted(peer, forwarded_for or b""), scheme

    def _last_untrusted(self, peer: str, forwarded_for: bytes) -> str:
        address = peer
        for entry in reversed(forwarded_for.decode("latin-1").split(",")):
            try:
                address = str(ip_address(entry.strip()))
            except ValueError:
                return address
            if not self._trusts(address):
                return address
        return address

    def _trusts(self, address: str) -> bool:
        try:
            parsed = ip_address(address)
        except ValueError:
            return False
        return any(parsed in network for network in self._trusted)
