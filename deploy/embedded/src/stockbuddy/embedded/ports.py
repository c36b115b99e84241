"""Checks the ports before the start, which takes seconds, and the address of a URL for a listening host."""

import asyncio
import errno
import socket

from stockbuddy.embedded.errors import StartFailed

_LOOPBACK = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}


def check_ports(host: str, *ports: int) -> None:
    """Raises StartFailed for the first port that can't be listened on."""
    for port in ports:
        try:
            family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
            with socket.socket(family, kind, protocol) as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as uvicorn: ignore TIME_WAIT
                probe.bind(address)
        except OSError as error:
            raise StartFailed(_describe(host, port, error)) from None


async def listens(host: str, port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection(_LOOPBACK.get(host, host), port)
    except OSError:
        return False
    writer.close()
    return True


def url_of(host: str, port: int) -> str:
    """The URL at which this machine reaches a server that listens on `host`."""
    address = _LOOPBACK.get(host, host)
    return f"http://[{address}]:{port}" if ":" in address else f"http://{address}:{port}"


def _describe(host: str, port: int, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"Port {port} of {host} is in use: stop the program that uses it, or set another PORT."
    if error.errno == errno.EACCES:
        return f"Port {port} requires privileges: set a PORT above 1023."
    return f"HOST: can't listen on {host} ({error.strerror}): set an address of this machine."
