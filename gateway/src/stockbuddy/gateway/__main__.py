"""`python -m stockbuddy.gateway` serves the gateway in front of services across the network."""

from stockbuddy.chassis.runtime.settings import load_settings_or_exit
from stockbuddy.gateway.app import create_gateway
from stockbuddy.gateway.server import serve
from stockbuddy.gateway.settings import GatewaySettings

if __name__ == "__main__":
    settings = load_settings_or_exit(GatewaySettings)
    serve(create_gateway(settings), settings)
