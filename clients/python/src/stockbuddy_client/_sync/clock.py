"""Waiting and locks of the synchronous client. Written by hand, unlike the other modules of this folder."""

from contextlib import AbstractContextManager, nullcontext
from threading import Lock
from time import sleep

__all__ = ["Lock", "sleep", "timeout"]


def timeout(seconds: float) -> AbstractContextManager[None]:  # noqa: ARG001 - as asyncio.timeout
    """Nothing: timeouts of the connection and a check after each chunk bound a synchronous attempt."""
    return nullcontext()
