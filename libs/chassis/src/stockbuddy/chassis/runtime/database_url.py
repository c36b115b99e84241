"""`DATABASE_URL` as libpq understands it, translated to the arguments of `asyncpg.connect`.

https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-PARAMKEYWORDS
"""

import ssl
from collections.abc import Collection, Mapping
from typing import Any
from urllib.parse import parse_qs, unquote, urlencode, urlsplit

import structlog

log = structlog.get_logger(__name__)

_SCHEMES = ("postgresql", "postgres", "postgresql+asyncpg")
_UNDERSTOOD_BY_ASYNCPG = frozenset({
    "host", "port", "dbname", "user", "password", "passfile", "service", "krbsrvname", "gsslib", "target_session_attrs",
    "sslmode", "sslcert", "sslkey", "sslrootcert", "sslcrl", "sslpassword", "sslnegotiation",
    "ssl_min_protocol_version", "ssl_max_protocol_version",
})  # fmt: skip
_IGNORED = frozenset({
    "channel_binding", "client_encoding", "gssdelegation", "gssencmode", "hostaddr", "keepalives", "keepalives_count",
    "keepalives_idle", "keepalives_interval", "load_balance_hosts", "replication", "require_auth", "requirepeer",
    "sslcertmode", "sslcompression", "sslcrldir", "sslsni", "tcp_user_timeout",
})  # fmt: skip
_warned: set[str] = set()


def connect_arguments(url: str, *, timeout_seconds: float, server_settings: Mapping[str, str]) -> dict[str, Any]:
    """Arguments of `asyncpg.connect`. `timeout_seconds` is used if the URL has no `connect_timeout`; in
    `server_settings` the URL replaces only `application_name`. Parameters without effect are logged once. Raises
    ValueError for a URL that libpq would reject."""
    parts, parameters = _parse(url)
    _warn_once(parameters.keys() & _IGNORED)
    parameters = {name: value for name, value in parameters.items() if name not in _IGNORED}
    settings = dict(server_settings)
    if options := parameters.pop("options", None):
        settings["options"] = options
    fallback_name = parameters.pop("fallback_application_name", None)
    if name := parameters.pop("application_name", fallback_name):
        settings["application_name"] = name
    timeout = _seconds(parameters.pop("connect_timeout", "0")) or timeout_seconds
    arguments: dict[str, Any] = {"timeout": timeout, "server_settings": settings}
    if parameters.get("sslrootcert") == "system":  # since libpq 16: the operating system's certificates
        del parameters["sslrootcert"]
        parameters.pop("sslmode", None)  # libpq accepts only verify-full with it
        arguments["ssl"] = ssl.create_default_context()
    # Passed apart from the DSN, because asyncpg splits it at the first @, which a password may contain.
    credentials, _, hosts = parts.netloc.rpartition("@")
    user, _, password = credentials.partition(":")
    if user:
        arguments["user"] = unquote(user)
    if password:
        arguments["password"] = unquote(password)
    return arguments | {"dsn": f"postgresql://{hosts}{parts.path}{_query(parameters)}"}


def server_of(url: str) -> str:
    """Host and port, without the credentials."""
    return urlsplit(url).netloc.rpartition("@")[2] or "the local socket"


def database_of(url: str) -> tuple[str, ...]:
    """What the URL leads to: servers, ports, and the name of the database, which is by default that of the user."""
    parts, parameters = _parse(url)
    credentials, _, hosts = parts.netloc.rpartition("@")
    user = unquote(credentials.partition(":")[0]) or parameters.get("user", "")
    database = unquote(parts.path.removeprefix("/")) or parameters.get("dbname") or user
    servers = [hosts or parameters.get("host", ""), parameters.get("port", ""), parameters.get("service", "")]
    return (*(server.lower() for server in servers), database)


def check_database_url(url: str) -> None:
    """Raises ValueError for an URL that libpq would reject."""
    _, parameters = _parse(url)
    _seconds(parameters.get("connect_timeout", "0"))


def _parse(url: str) -> tuple[Any, dict[str, str]]:
    parts = urlsplit(url)
    if parts.scheme not in _SCHEMES:
        raise ValueError("the database's URL begins with postgresql://")
    # Several `host` parameters are the form of SQLAlchemy's URLs, a list with commas is libpq's.
    parameters = {name: ",".join(values) for name, values in parse_qs(parts.query).items()}
    translated = {"options", "application_name", "fallback_application_name", "connect_timeout"}
    if unknown := parameters.keys() - _UNDERSTOOD_BY_ASYNCPG - _IGNORED - translated:
        # Not ignored: `sslmod=require` would connect without TLS.
        raise ValueError(f"unknown parameters in the database's URL: {', '.join(sorted(unknown))}")
    return parts, parameters


def _warn_once(ignored: Collection[str]) -> None:
    if new := set(ignored) - _warned:
        _warned.update(new)
        log.warning("database_url.parameters_ignored", parameters=sorted(new))


def _seconds(text: str) -> float:
    """0 for libpq's "no limit"; then the default applies."""
    if not text.lstrip("-").isdecimal():
        raise ValueError("connect_timeout is a number of seconds")
    return float(max(int(text), 0))


def _query(parameters: Mapping[str, str]) -> str:
    return f"?{urlencode(parameters)}" if parameters else ""
