"""What the tests of the deployment's files compare them with."""

from collections.abc import Mapping
from pathlib import Path

import pytest
from pydantic_settings import BaseSettings

from stockbuddy.embedded.services import SERVICES
from stockbuddy.gateway.settings import GatewaySettings


@pytest.fixture(scope="session")
def root() -> Path:
    return Path(__file__).parents[2]


@pytest.fixture(scope="session")
def programs() -> Mapping[str, type[BaseSettings]]:
    """Every program that has an image of its own, with the class of its settings."""
    return {**{d.service.name: d.settings for d in SERVICES}, "gateway": GatewaySettings}
