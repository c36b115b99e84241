"""Checks the ports to listen on before a start, which takes seconds."""

import errno
import socket
import sys


class CannotListen(Exception):
    """The message is one line for the operator: the address, what is wrong, and the remedy."""


def check_ports(host: str, *ports: int) -> None:
    """Raises CannotListen for the first port that can't be listened on."""
    for port in ports:
        try:
            family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
            with socket.socket(family, kind, protocol) as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as uvicorn: ignore TIME_WAIT
                probe.bind(address)
        except OSError as error:
            raise CannotListen(_describe(host, port, error)) from None


def check_ports_or_exit(host: str, *ports: int) -> None:
    try:
        check_ports(host, *ports)
    except CannotListen as error:
        sys.exit(str(error))


def _describe(host: str, port: int, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"Port {port} of {host} is in use: stop the program that uses it, or set another PORT."
    if error.errno == errno.EACCES:
        return f"Port {port} requires privileges: set a PORT above 1023."
    return f"HOST: can't listen on {host} ({error.strerror}): set an address of this machine."
