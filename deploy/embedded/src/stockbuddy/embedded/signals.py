"""SIGINT and SIGTERM: both have the same effect, which changes once the system serves."""

import asyncio
import signal
from collections.abc import Callable


def on_stop_signal(callback: Callable[[], object]) -> None:
    """Call `callback` in the running loop at each signal, instead of the callback that was set before."""
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, callback)


def cancel_on_stop_signal() -> None:
    """Let a signal cancel the current task; for a start that takes long."""
    task = asyncio.current_task()
    assert task is not None
    on_stop_signal(task.cancel)
