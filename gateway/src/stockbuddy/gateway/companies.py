"""The gateways of several companies behind one address: the host of a request selects one (docs/adr/0041)."""

from collections.abc import Sequence

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Scope

from stockbuddy.chassis.http.companies import CompanyApps
from stockbuddy.gateway.app import create_gateway
from stockbuddy.gateway.settings import GatewaySettings


def create_gateways(companies: Sequence[GatewaySettings]) -> ASGIApp:
    """The gateway of the only company, or those of all, as one ASGI app with a lifespan."""
    if companies[0].company is None:
        return create_gateway(companies[0])
    return join_gateways([(settings, create_gateway(settings)) for settings in companies])


def join_gateways(gateways: Sequence[tuple[GatewaySettings, ASGIApp]]) -> ASGIApp:
    """The first one answers requests to an unknown host: it refuses and counts them."""
    companies = {settings.public_host: str(settings.company) for settings, _ in gateways}
    apps = {str(settings.company): app for settings, app in gateways}

    def company_of_host(scope: Scope) -> str | None:
        host = Headers(scope=scope).get("host", "")
        return companies.get(host.partition(":")[0].lower().removesuffix("."))

    return CompanyApps(apps, company_of_host, fallback=next(iter(apps)))
