"""Under which names and schemes the site may be called."""

from collections.abc import Sequence

from stockbuddy.gateway.errors import HttpsRequired, UnknownHost


class Site:
    """`hosts` without ports; `*` is any, `*.example.com` any below."""

    def __init__(self, hosts: Sequence[str], *, require_https: bool) -> None:
        self._any_host = "*" in hosts
        self._hosts = frozenset(host.lower() for host in hosts if not host.startswith("*."))
        self._domains = tuple(host[1:].lower() for host in hosts if host.startswith("*."))
        self._require_https = require_https

    def refuse_others(self, host: bytes, scheme: str) -> None:
        """Raises UnknownHost, HttpsRequired."""
        if self._require_https and scheme != "https":
            raise HttpsRequired
        if not self._any_host and not self._is_ours(host):
            raise UnknownHost

    def _is_ours(self, host: bytes) -> bool:
        text = host.decode("latin-1").lower()
        name = text.rpartition("]")[0] + "]" if text.startswith("[") else text.partition(":")[0]
        return name in self._hosts or name.endswith(self._domains or ("\0",))
