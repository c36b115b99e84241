"""Ends child processes when the process that started them dies, however it dies.

A shell waits on a pipe that only we hold open; the kernel closes it with us. Parent-death signals would be
simpler, but they are lost when the child changes user and fire when merely the starting *thread* ends.
"""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Mapping
from typing import Any

_WAIT_FOR_THE_END = """trap '' HUP INT TERM; read -r _; kill -s "$@" 2>/dev/null"""


class ProcessReaper:
    """Watches over `process_ids` until dismissed.

    `credentials` are the `user`, `group` and `extra_groups` arguments of `subprocess.Popen`.
    """

    def __init__(
        self, process_ids: list[int], last_signal: signal.Signals, credentials: Mapping[str, Any] | None = None
    ) -> None:
        signal_name = last_signal.name.removeprefix("SIG")
        self._shell = subprocess.Popen(
            ["/bin/sh", "-c", _WAIT_FOR_THE_END, "guardian", signal_name, *map(str, process_ids)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd="/",
            start_new_session=True,
            **(credentials or {}),
        )

    def dismiss(self) -> None:
        """Let go of the children without a signal to any of them."""
        self._shell.kill()
        self._shell.communicate()
