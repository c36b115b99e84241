"""A serving process may open more files than the usual soft limit allows."""

import subprocess
import sys

PROGRAM = """
import os
from stockbuddy.chassis.runtime.process import prepare_to_serve
prepare_to_serve()
print(len([os.dup(0) for _ in range(300)]))
"""


def test_process_can_open_more_files_than_the_soft_limit() -> None:
    command = ["/bin/sh", "-c", 'ulimit -Sn 256; exec "$0" -c "$1"', sys.executable, PROGRAM]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "300"
