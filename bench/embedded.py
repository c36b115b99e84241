"""The whole system in one process: start-up time, and memory before and after work.

The work is the demo's sample data, or the history in FILE.
"""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager

from bench.figures import Figure, report, under
from bench.system import Process, process, wait_until_ready

TARGET_SECONDS = under(10)
TARGET_MEGABYTES = under(300)


@contextmanager
def system(folder: str) -> Iterator[Process]:
    environment = {"ENV": "development", "STOCKBUDDY_DATA": folder, "LOG_LEVEL": "error"}
    with process("-m", "stockbuddy.embedded", environment=environment) as started:
        wait_until_ready(started.port)
        yield started


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="stockbuddy-bench-") as folder:
        for start in ("first start", "second start"):
            started_at = time.perf_counter()
            with system(folder):
                report(
                    Figure(
                        "embedded", f"ready after the {start}", time.perf_counter() - started_at, "s", TARGET_SECONDS
                    )
                )
        with system(folder) as started:
            report(Figure("embedded", "memory at rest", started.resident_megabytes(), "MB", TARGET_MEGABYTES))
            work(started, os.environ.get("FILE"))
            memory = started.resident_megabytes()
            report(Figure("embedded", "memory after work", memory, "MB", TARGET_MEGABYTES))


def work(system: Process, file: str | None) -> None:
    module = ["stockbuddy.embedded.replay", file] if file else ["stockbuddy.embedded.demo"]
    environment = {**os.environ, "STOCKBUDDY_URL": f"http://127.0.0.1:{system.port}"}
    subprocess.run([sys.executable, "-m", *module], env=environment, check=True)


if __name__ == "__main__":
    main()
