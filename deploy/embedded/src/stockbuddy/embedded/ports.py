"""The address of a URL for a listening host, and whether something listens there."""

import asyncio

_LOOPBACK = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}


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
