"""Host allow-list and HTTPS enforcement."""

from collections.abc import Sequence

from stockbuddy.gateway.errors import HttpsRequired, UnknownHost
from stockbuddy.gateway.request import GatewayRequest


class HostPolicy:
    """`hosts` are names without port; `*` allows any, `*.example.com` any subdomain."""

    def __init__(self, hosts: Sequence[str], *, require_https: bool) -> None:
        self._any_host = "*" in hosts
        self._hosts = frozenset(host.lower().rstrip(".") for host in hosts if not host.startswith("*."))
        self._domains = tuple(host[1:].lower().rstrip(".") for host in hosts if host.startswith("*."))
        self._require_https = require_https

    def check(self, request: GatewayRequest) -> None:
        """Raises HttpsRequired, UnknownHost."""
        if self._require_https and request.scheme != "https":
            raise HttpsRequired
        if not self._any_host and not self._is_allowed(request.headers.parsed.get(b"host", b"")):
            raise UnknownHost

    def _is_allowed(self, host: bytes) -> bool:
        text = host.decode("latin-1").strip().lower()
        name = text.rpartition("]")[0] + "]" if text.startswith("[") else text.partition(":")[0]
        name = name.removesuffix(".")  # the root of the DNS: the same name
        return name in self._hosts or name.endswith(self._domains or ("\0",))
