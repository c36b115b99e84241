"""A stream ends when its client disconnects, even while there is nothing to send."""

import asyncio
from collections.abc import Coroutine
from typing import Any


async def run_until_disconnect(send: Coroutine[Any, Any, None], disconnect: Coroutine[Any, Any, None]) -> None:
    """Run `send` until it returns or `disconnect` does. Raises what `send` raises."""
    sending, disconnecting = asyncio.create_task(send), asyncio.create_task(disconnect)
    try:
        await asyncio.wait((sending, disconnecting), return_when=asyncio.FIRST_COMPLETED)
        if sending.done():
            sending.result()
    finally:
        for task in (sending, disconnecting):
            task.cancel()
        await asyncio.gather(sending, disconnecting, return_exceptions=True)
