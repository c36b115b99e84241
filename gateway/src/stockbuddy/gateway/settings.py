"""The gateway's environment: where the services are, whom it trusts, and how much it lets in."""

from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Annotated

from limits import RateLimitItem, parse
from pydantic import BeforeValidator, Field, PositiveFloat, PositiveInt
from pydantic_settings import NoDecode, SettingsConfigDict

from stockbuddy.chassis.runtime.settings import ServiceSettings

Network = IPv4Network | IPv6Network


def _comma_separated(value: object) -> object:
    if isinstance(value, str):
        return tuple(part.strip() for part in value.split(",") if part.strip())
    return value


def _networks(value: object) -> object:
    parts = _comma_separated(value)
    return tuple(ip_network(part) for part in parts) if isinstance(parts, tuple) else value


def _rate(value: object) -> object:
    """`10/minute` (the notation of the limits library), or `off`."""
    if isinstance(value, str):
        return None if value.strip().lower() == "off" else parse(value)
    return value


Words = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_comma_separated)]
Networks = Annotated[tuple[Network, ...], NoDecode, BeforeValidator(_networks)]
Rate = Annotated[RateLimitItem | None, NoDecode, BeforeValidator(_rate)]


class GatewaySettings(ServiceSettings):
    """A service's URL may list several replicas, separated by commas; a name with several addresses counts as several.

    `trusted_proxies` are the networks of load balancers whose `X-Forwarded-For` and `-Proto` are believed.
    `allowed_hosts` are the names the site goes by (`*.example.com` for all below one).
    `access_token_seconds` is auth's setting too: how long a revoked session must be remembered.
    """

    model_config = SettingsConfigDict(arbitrary_types_allowed=True)

    auth_url: Words = ("http://127.0.0.1:8001",)
    catalog_url: Words = ("http://127.0.0.1:8002",)
    stock_url: Words = ("http://127.0.0.1:8003",)
    notifications_url: Words = ("http://127.0.0.1:8004",)

    trusted_proxies: Networks = ()
    allowed_hosts: Words = ("*",)
    require_https: bool = False
    tls_certificate_file: str | None = None
    tls_key_file: str | None = None
    cors_origins: Words = ()
    """Whose pages may call, as `https://shop.example`; `*` is any, but then without cookies."""

    rate_limit_caller: Rate = parse("1000/second")
    rate_limit_address: Rate = parse("50/second")
    """For whoever is not known."""
    rate_limit_login: Rate = parse("10/minute")
    """Per account and address."""
    rate_limit_url: str | None = Field(default=None, repr=False)
    """`redis://` or `valkey://`: replicas count together."""

    access_token_seconds: PositiveInt = 900
    use_report_seconds: PositiveFloat = 15
    """How often auth is told which sessions and API keys were used."""

    connect_seconds: PositiveFloat = 1
    response_seconds: PositiveFloat = 30
    """From the request to the start of its answer."""
    idle_stream_seconds: PositiveFloat = 60
    """Between two pieces of an answer; streams send a comment every 15 s."""
    upstream_connections: PositiveInt = 2000
    """At most so many at once to one replica."""

    header_seconds: PositiveFloat = 10
    """A client must have sent the head of its request by then."""
    body_seconds: PositiveFloat = 30
    """And the whole body by then, for each mebibyte that its route allows."""
    keep_alive_seconds: PositiveInt = 75
    reading_seconds: PositiveFloat = 60
    """In which a client must take in something of an answer that waits for it."""

    metrics_port: int | None = Field(default=None, ge=1, le=65535)
    """Where `/metrics` is in production: not at the public port."""

    def urls(self) -> dict[str, tuple[str, ...]]:
        """Where each service is, by its name in the table of routes."""
        return {
            "auth": self.auth_url,
            "catalog": self.catalog_url,
            "stock": self.stock_url,
            "notifications": self.notifications_url,
        }
