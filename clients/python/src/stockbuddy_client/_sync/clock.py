"""Waiting, locks and blocking calls of the synchronous client, written by hand."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from threading import Lock
from time import sleep
from typing import ParamSpec, TypeVar

__all__ = ["Lock", "call_blocking", "sleep", "timeout"]
Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")


def timeout(seconds: float) -> AbstractContextManager[None]:  # noqa: ARG001 - as asyncio.timeout
    """Nothing: timeouts of the connection and a check after each chunk bound a synchronous attempt."""
    return nullcontext()


def call_blocking(
    function: Callable[Parameters, Result], *args: Parameters.args, **kwargs: Parameters.kwargs
) -> Result:
    """The synchronous client may block its thread."""
    return function(*args, **kwargs)
