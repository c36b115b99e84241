"""A port that can't be listened on is one line with the remedy."""

import socket

import pytest

from stockbuddy.chassis.runtime.ports import CannotListen, check_ports


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_used_port_is_named(host: str) -> None:
    with socket.create_server((host, 0), family=socket.AF_INET6 if ":" in host else socket.AF_INET) as server:
        port = server.getsockname()[1]
        with pytest.raises(CannotListen, match=f"Port {port} of {host} is in use"):
            check_ports(host, port)


def test_unusable_address_is_named() -> None:
    with pytest.raises(CannotListen, match=r"can't listen on 192\.0\.2\.1"):
        check_ports("192.0.2.1", 0)
