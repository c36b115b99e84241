"""Waiting and locks of the asynchronous client."""

from asyncio import Lock, sleep, timeout

__all__ = ["Lock", "sleep", "timeout"]
