"""The guardian ends children with their parent, and lets go of them when dismissed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

from stockbuddy.local_servers.process_reaper import ProcessReaper

PARENT = """
import signal, subprocess, sys, time
from stockbuddy.local_servers.process_reaper import ProcessReaper
signal.signal(signal.SIGINT, signal.SIG_DFL)  # ignored, when whoever runs the tests runs in the background
child = subprocess.Popen(["/bin/sleep", "600"], start_new_session=True)
guardian = ProcessReaper([child.pid], signal.SIGTERM)
print(child.pid, flush=True)
time.sleep(600)
"""


def test_the_child_of_a_killed_parent_ends() -> None:
    with subprocess.Popen([sys.executable, "-c", PARENT], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        parent.kill()
    deadline = time.monotonic() + 30
    while is_running(child):
        assert time.monotonic() < deadline, "the child lives on"
        time.sleep(0.01)


def test_signals_of_the_terminal_do_not_reach_the_guardian() -> None:
    with subprocess.Popen([sys.executable, "-c", PARENT], stdout=subprocess.PIPE, process_group=0) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        os.killpg(parent.pid, signal.SIGINT)
    deadline = time.monotonic() + 30
    while is_running(child):
        assert time.monotonic() < deadline, "the child lives on"
        time.sleep(0.01)


def test_dismissed_it_leaves_the_child_alone() -> None:
    with subprocess.Popen(["/bin/sleep", "600"]) as child:
        guardian = ProcessReaper([child.pid], signal.SIGTERM)
        guardian.dismiss()
        assert child.poll() is None
        child.kill()


def is_running(process_id: int) -> bool:
    """A process that ended but whom nobody has waited for counts as ended."""
    shown = subprocess.run(
        ["/bin/ps", "-p", str(process_id), "-o", "stat="], capture_output=True, text=True, check=False
    )
    return bool(shown.stdout.strip()) and not shown.stdout.startswith("Z")
