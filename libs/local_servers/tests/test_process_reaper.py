"""The process reaper ends children with their parent, and can be dismissed."""

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
signal.signal(signal.SIGINT, signal.SIG_DFL)  # it is ignored if the tests run in the background
child = subprocess.Popen(["/bin/sleep", "600"], start_new_session=True)
reaper = ProcessReaper([child.pid], signal.SIGTERM)
print(child.pid, flush=True)
time.sleep(600)
"""


def test_child_of_a_killed_parent_is_ended() -> None:
    with subprocess.Popen([sys.executable, "-c", PARENT], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        parent.kill()
    deadline = time.monotonic() + 60
    while is_running(child):
        assert time.monotonic() < deadline, "the child lives on"
        time.sleep(0.01)


def test_terminal_signals_do_not_reach_the_reaper() -> None:
    with subprocess.Popen([sys.executable, "-c", PARENT], stdout=subprocess.PIPE, process_group=0) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        os.killpg(parent.pid, signal.SIGINT)
    deadline = time.monotonic() + 60
    while is_running(child):
        assert time.monotonic() < deadline, "the child lives on"
        time.sleep(0.01)


def test_dismissed_reaper_leaves_the_child_running() -> None:
    with subprocess.Popen(["/bin/sleep", "600"]) as child:
        reaper = ProcessReaper([child.pid], signal.SIGTERM)
        reaper.dismiss()
        assert child.poll() is None
        child.kill()


def is_running(process_id: int) -> bool:
    """A zombie counts as ended."""
    shown = subprocess.run(
        ["/bin/ps", "-p", str(process_id), "-o", "stat="], capture_output=True, text=True, check=False
    )
    return bool(shown.stdout.strip()) and not shown.stdout.startswith("Z")
