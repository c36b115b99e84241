"""A stream lasts until there is nothing more to send or the client has left, whichever comes first."""

import asyncio
from collections.abc import Coroutine
from typing import Any


async def while_connected(send: Coroutine[Any, Any, None], left: Coroutine[Any, Any, None]) -> None:
    """Run `send` until `left` returns. Raises what `send` raises."""
    sending, leaving = asyncio.create_task(send), asyncio.create_task(left)
    try:
        await asyncio.wait((sending, leaving), return_when=asyncio.FIRST_COMPLETED)
        if sending.done():
            sending.result()
    finally:
        for task in (sending, leaving):
            task.cancel()
        await asyncio.gather(sending, leaving, return_exceptions=True)
