"""Sells and delivers with the Python till in child processes, and kills each at a line that a seed selects.

`python till_runner.py URL KEY FILE SKU SEED KILLS`. Prints the number of kills, and the reference of each
acknowledged sale.
"""

import json
import os
import random
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

import httpx2
import stockbuddy_client
from stockbuddy_client import ApiKey, Client
from stockbuddy_client.sale_queue import SaleQueue
from stockbuddy_client.till import Till

OWN_FILES = tuple(sys.modules[kind.__module__].__file__ for kind in (Till, SaleQueue))
PACKAGES = tuple(str(Path(str(package.__file__)).parent) for package in (stockbuddy_client, httpx2))
REFUSED_SHARE = 4
TIMEOUT_SECONDS = 120


class LineCounter:
    """Counts the lines that run, and kills the process at one of them."""

    def __init__(self, files: tuple[str, ...], fatal_line: int) -> None:
        self.lines = 0
        self._files = files
        self._fatal_line = fatal_line

    def trace(self, frame: FrameType, event: str, _: Any) -> Callable[..., Any] | None:
        if not frame.f_code.co_filename.startswith(self._files):
            return None
        if event == "line":
            self.lines += 1
            if self.lines == self._fatal_line:
                os.kill(os.getpid(), signal.SIGKILL)
        return self.trace


def sell_one(arguments: list[str], acknowledge: Callable[[bytes], object]) -> None:
    """Every fourth sale sells more than there is."""
    url, key, file, sku = arguments
    with Client(url, credentials=ApiKey(key), timeout_seconds=TIMEOUT_SECONDS) as client, Till(client, file) as till:
        is_refused = len(till.sales()) % REFUSED_SHARE == REFUSED_SHARE - 1
        sale = till.sell({"product": sku, "quantity": 9_000_000 if is_refused else 1})
        acknowledge(f"{sale.reference}\n".encode())
        stopped_by = till.deliver().stopped_by
        if stopped_by is not None:
            raise stopped_by


def run_child(arguments: list[str], counter: LineCounter) -> tuple[int, bytes]:
    """Its exit status and what it acknowledged."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        sys.settrace(counter.trace)
        try:
            sell_one(arguments, lambda text: os.write(writing, text))
        except BaseException as error:  # a child must not return into the parent's code
            print(repr(error), file=sys.stderr, flush=True)
            os._exit(1)
        sys.settrace(None)
        os.write(writing, f"lines {counter.lines}\n".encode())
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as output:
        text = output.read()
    return os.waitpid(child, 0)[1], text


def main() -> None:
    *arguments, seed, kills = sys.argv[1:]
    chooser, killed, acknowledged = random.Random(int(seed)), 0, list[str]()
    lengths: dict[tuple[Any, ...], int] = {OWN_FILES: 0, PACKAGES: 0}
    while killed < int(kills) or not all(lengths.values()):
        files = chooser.choice(list(lengths))
        # The first run of each kind is not killed: it counts the lines.
        fatal = chooser.randint(1, lengths[files]) if lengths[files] else 0
        status, text = run_child(arguments, LineCounter(files, fatal))
        lines = text.decode().split("\n")[:-1]
        acknowledged += [line for line in lines if not line.startswith("lines")]
        if os.WIFSIGNALED(status):
            killed += 1
        elif status:
            raise SystemExit(f"a child failed: {status}")
        else:
            lengths[files] = int(lines[-1].split()[1])
    print(json.dumps({"kills": killed, "acknowledged": acknowledged}))


if __name__ == "__main__":
    main()
