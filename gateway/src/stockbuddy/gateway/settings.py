"""The gateway's settings: service URLs, trust, limits and timeouts."""

import re
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Annotated, ClassVar, Self
from urllib.parse import urlsplit

from limits import RateLimitItem, parse
from pydantic import BeforeValidator, Field, PositiveFloat, PositiveInt, model_validator
from pydantic_settings import NoDecode, SettingsConfigDict

from stockbuddy.chassis.http.internal_calls import InternalCallSettings
from stockbuddy.chassis.runtime.common_names import split_by_commas
from stockbuddy.chassis.runtime.settings import AccessTokenSettings

Network = IPv4Network | IPv6Network


def _networks(value: object) -> object:
    parts = split_by_commas(value)
    return tuple(ip_network(part) for part in parts) if isinstance(parts, tuple) else value


def _rate(value: object) -> object:
    """`10/minute` (the notation of the limits library), or `off`."""
    if isinstance(value, str):
        return None if value.strip().lower() == "off" else parse(value)
    return value


def _origins(value: object) -> object:
    """Origins as browsers send them (RFC 6454 §6.2): in lower case, without a slash at the end."""
    parts = split_by_commas(value)
    if not isinstance(parts, tuple):
        return value
    origins = tuple(part.lower().removesuffix("/") for part in parts)
    for origin in origins:
        if origin != "*" and not _ORIGIN.fullmatch(origin):
            raise ValueError(f"{origin!r} is not an origin, like https://shop.example")
    return origins


def _root_path(value: object) -> object:
    if not isinstance(value, str):
        return value
    path = value.strip().strip("/")
    if path and not _ROOT_PATH.fullmatch(path):
        raise ValueError(f"{value!r} is not a path prefix, like /shop")
    return f"/{path}" if path else ""


def _cdn_url(value: object) -> object:
    """An origin with or without a path, without a slash at the end."""
    if not isinstance(value, str):
        return value
    url = value.strip().removesuffix("/")
    if not _CDN_URL.fullmatch(url):
        raise ValueError(f"{value!r} is not the address of a CDN, like https://cdn.example.com")
    return url


_ORIGIN = re.compile(r"[a-z][a-z0-9+.-]*://(?:[^\s/?#@:\[\]]+|\[[0-9a-f:.]+\])(?::\d{1,5})?")
_ROOT_PATH = re.compile(r"[A-Za-z0-9._~-]+(?:/[A-Za-z0-9._~-]+)*")
_CDN_URL = re.compile(r"https?://(?:[a-z0-9.-]+|\[[0-9a-f:.]+\])(?::\d{1,5})?(?:/[A-Za-z0-9._~-]+)*")

CommaSeparated = Annotated[tuple[str, ...], NoDecode, BeforeValidator(split_by_commas)]
Origins = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_origins)]
RootPath = Annotated[str, BeforeValidator(_root_path)]
Networks = Annotated[tuple[Network, ...], NoDecode, BeforeValidator(_networks)]
CdnUrl = Annotated[str, BeforeValidator(_cdn_url)]
Rate = Annotated[RateLimitItem | None, NoDecode, BeforeValidator(_rate)]


class GatewaySettings(AccessTokenSettings, InternalCallSettings):
    """A service's URL may list several replicas, separated by commas; a host name with several addresses counts as
    several.

    `trusted_proxies`: networks of proxies whose `X-Forwarded-For`, `-Proto` and `-Prefix` or `Forwarded` are trusted.
    `allowed_hosts`: accepted `Host` headers (`*.example.com` for all subdomains).
    `access_token_seconds` is auth's setting, too: how long a revocation must be remembered.
    """

    model_config = SettingsConfigDict(arbitrary_types_allowed=True, env_ignore_empty=True)
    is_public: ClassVar[bool] = True

    auth_url: CommaSeparated = ("http://127.0.0.1:8001",)
    catalog_url: CommaSeparated = ("http://127.0.0.1:8002",)
    stock_url: CommaSeparated = ("http://127.0.0.1:8003",)
    notifications_url: CommaSeparated = ("http://127.0.0.1:8004",)

    trusted_proxies: Networks = ()
    allowed_hosts: CommaSeparated = ("*",)
    public_url: str | None = None
    """Where browsers reach the system. With several companies its host selects one, and no other host is accepted."""
    require_https: bool | None = None
    """Reject plain HTTP; by default, in production."""
    tls_certificate_file: str | None = None
    tls_key_file: str | None = None
    cors_origins: Origins = ()
    """Allowed origins, as `https://shop.example`; `*` allows any in development, without cookies."""
    root_path: RootPath = ""
    """The path under which a proxy publishes the gateway, as `/shop`; a trusted proxy may send `X-Forwarded-Prefix`."""

    cdn_url: CdnUrl | None = None
    """Where a CDN serves the public address of the gateway with its path prefix: pages then load the console's files
    and pictures from there (docs/how-to/use-a-cdn.md)."""

    console_directory: Path | None = None
    """Of the built web console; without it, none is served."""

    rate_limit_caller: Rate = parse("1000/second")
    rate_limit_address: Rate = parse("50/second")
    """Anonymous requests."""
    rate_limit_login: Rate = parse("10/minute")
    """Per account and address."""
    rate_limit_login_address: Rate = parse("100/minute")
    """Logins per address, whatever the account."""
    rate_limit_registration: Rate = parse("60/minute")
    """Registrations and new passwords per address."""
    rate_limit_url: str | None = Field(default=None, repr=False)
    """`redis://` or `valkey://`, shared by the gateway's replicas."""

    activity_report_interval_seconds: PositiveFloat = 15
    """Between two reports to auth of the last activity of sessions and API keys."""

    connect_timeout_seconds: PositiveFloat = 1
    response_timeout_seconds: PositiveFloat = 30
    """From the end of the request to the start of the response."""
    stream_idle_timeout_seconds: PositiveFloat = 60
    """Between two chunks of a body; services send a comment on open streams every 15 s."""
    max_upstream_connections: PositiveInt = 2000
    """Per replica."""
    max_streams_per_caller: PositiveInt = 50
    """Open SSE streams and WebSockets of one user or API key, in each replica of the gateway."""

    header_timeout_seconds: PositiveFloat = 10
    """For receiving the head of a request."""
    body_timeout_seconds: PositiveFloat = 30
    """Per MiB of the route's body limit."""
    keep_alive_timeout_seconds: PositiveInt = 75
    client_read_timeout_seconds: PositiveFloat = 60
    """The connection is closed if the client reads nothing of a response for this long."""

    metrics_port: int | None = Field(default=None, ge=1, le=65535)
    """Port of `/metrics` in production, where the public port does not serve it, and of `/health/live` without checks
    of host, HTTPS and rate."""

    @property
    def rejects_plain_http(self) -> bool:
        return self.env == "production" if self.require_https is None else self.require_https

    def reasons_against_production(self) -> list[str]:
        reasons = super().reasons_against_production()
        if "*" in self.cors_origins:
            reasons.append("CORS_ORIGINS allows every origin; list those of your web applications")
        if self.rejects_plain_http and (self.cdn_url or "").startswith("http:"):
            reasons.append("CDN_URL is not HTTPS, and browsers load no scripts over plain HTTP into a page over HTTPS")
        return reasons

    @property
    def accepted_hosts(self) -> tuple[str, ...]:
        return self.allowed_hosts if self.company is None else (self.public_host,)

    @property
    def public_host(self) -> str:
        """The host name of `public_url`, in lower case."""
        return urlsplit(self.public_url or "").hostname or ""

    @model_validator(mode="after")
    def reject_company_without_host(self) -> Self:
        if self.company is not None and not self.public_host:
            raise ValueError("PUBLIC_URL is required for companies: https://{company}.example.com")
        return self

    def urls(self) -> dict[str, tuple[str, ...]]:
        """The URLs of each service, by its name in the route table."""
        return {
            "auth": self.auth_url,
            "catalog": self.catalog_url,
            "stock": self.stock_url,
            "notifications": self.notifications_url,
        }
