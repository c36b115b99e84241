"""The address of PgBouncer, through which a service reaches its database (ADR 47)."""

import re
from dataclasses import dataclass
from urllib.parse import parse_qs, urlencode, urlsplit

_ADDRESS = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[^\s:/@?#\[\]]+):[0-9]{1,5}")
_OF_THE_SERVER = frozenset({"host", "hostaddr", "port", "target_session_attrs", "load_balance_hosts"})


@dataclass(frozen=True, slots=True)
class Pooler:
    """PgBouncer in transaction mode. `address`: host and port; `keeps_statements`: it prepares the statements of its
    clients in the sessions that it assigns (`max_prepared_statements`, 1.21 or later)."""

    address: str
    keeps_statements: bool = False

    def through(self, database_url: str) -> str:
        """The URL with the pooler's address; credentials, database and TLS parameters stay."""
        parts = urlsplit(database_url)
        credentials, at, _ = parts.netloc.rpartition("@")
        parameters = {name: values[-1] for name, values in parse_qs(parts.query).items() if name not in _OF_THE_SERVER}
        return parts._replace(netloc=f"{credentials}{at}{self.address}", query=urlencode(parameters)).geturl()


def check_pooler_address(address: str) -> None:
    """Raises ValueError unless it is a host and a port."""
    if not _ADDRESS.fullmatch(address):
        raise ValueError("the pooler's address is a host and a port, such as pgbouncer:6432")
