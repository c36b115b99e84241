"""Waiting, locks and blocking calls of the asynchronous client."""

from asyncio import Lock, sleep, timeout, to_thread

call_blocking = to_thread

__all__ = ["Lock", "call_blocking", "sleep", "timeout"]
