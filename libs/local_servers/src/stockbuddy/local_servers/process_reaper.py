"""Ends child processes when their parent exits, even on SIGKILL: a helper shell blocks on a pipe whose only writer is
the parent.

PR_SET_PDEATHSIG is not used: it is lost when the child changes its user, and is sent when the starting thread exits.
"""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Mapping
from typing import Any

_WAIT_FOR_EOF = """trap '' HUP INT TERM; read -r _; kill -s "$@" 2>/dev/null"""


class ProcessReaper:
    """Sends `last_signal` to `process_ids` when this process exits, unless dismissed.

    `credentials`: the arguments `user`, `group` and `extra_groups` of `subprocess.Popen`.
    """

    def __init__(
        self, process_ids: list[int], last_signal: signal.Signals, credentials: Mapping[str, Any] | None = None
    ) -> None:
        signal_name = last_signal.name.removeprefix("SIG")
        self._shell = subprocess.Popen(
            ["/bin/sh", "-c", _WAIT_FOR_EOF, "process-reaper", signal_name, *map(str, process_ids)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd="/",
            start_new_session=True,
            **(credentials or {}),
        )

    def dismiss(self) -> None:
        """Stop watching; the children keep running."""
        self._shell.kill()
        self._shell.communicate()
