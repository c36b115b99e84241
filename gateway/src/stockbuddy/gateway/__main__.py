"""`python -m stockbuddy.gateway` serves the gateway in front of services across the network."""

from stockbuddy.chassis.runtime.settings import load_settings_of_companies_or_exit
from stockbuddy.gateway.companies import create_gateways
from stockbuddy.gateway.server import serve
from stockbuddy.gateway.settings import GatewaySettings

if __name__ == "__main__":
    companies = load_settings_of_companies_or_exit(GatewaySettings)
    serve(create_gateways(companies), companies[0])
