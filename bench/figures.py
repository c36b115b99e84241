"""What a benchmark found: printed as it is found, and kept for the table of RESULTS.md."""

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

COLLECTED_IN = "BENCH_FIGURES"
"""The environment variable that names the file where figures are collected, one JSON object a line."""


@dataclass(frozen=True)
class Aim:
    """What a figure should be: at least `limit`, or under it."""

    limit: float
    at_least: bool

    def is_met_by(self, value: float) -> bool:
        return value >= self.limit if self.at_least else value < self.limit

    def __str__(self) -> str:
        return f"{'at least' if self.at_least else 'under'} {self.limit:g}"


def at_least(limit: float) -> Aim:
    return Aim(limit, at_least=True)


def under(limit: float) -> Aim:
    return Aim(limit, at_least=False)


@dataclass(frozen=True)
class Figure:
    """`value` in `unit`, usually a multiple of a baseline; `detail` gives the rates and times behind it."""

    part: str
    name: str
    value: float
    unit: str
    aim: Aim | None = None
    detail: str = ""

    @property
    def verdict(self) -> str:
        if self.aim is None:
            return ""
        return "met" if self.aim.is_met_by(self.value) else "missed"

    @property
    def shown(self) -> str:
        return f"{self.value:,.2f}" if abs(self.value) < 100 else f"{self.value:,.0f}"

    def __str__(self) -> str:
        aim = f"aim {self.aim}: {self.verdict}" if self.aim else ""
        return f"{self.name:<44} {self.shown:>8} {self.unit:<22} {aim:<24} {self.detail}".rstrip()


def report(figure: Figure) -> None:
    print(figure, flush=True)
    if path := os.environ.get(COLLECTED_IN):
        with Path(path).open("a") as file:
            file.write(json.dumps(asdict(figure)) + "\n")


def collected(path: Path) -> list[Figure]:
    figures = [json.loads(line) for line in path.read_text().splitlines()]
    return [Figure(**{**figure, "aim": Aim(**figure["aim"]) if figure["aim"] else None}) for figure in figures]
