"""A benchmark's figures: printed immediately and collected for RESULTS.md."""

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

FIGURES_FILE_VARIABLE = "BENCH_FIGURES"
"""Environment variable with the path of the file that collects figures, one JSON object per line."""


@dataclass(frozen=True)
class Target:
    """The target of a figure: at least `limit`, or under it."""

    limit: float
    at_least: bool

    def is_met_by(self, value: float) -> bool:
        return value >= self.limit if self.at_least else value < self.limit

    def __str__(self) -> str:
        return f"{'at least' if self.at_least else 'under'} {self.limit:g}"


def at_least(limit: float) -> Target:
    return Target(limit, at_least=True)


def under(limit: float) -> Target:
    return Target(limit, at_least=False)


@dataclass(frozen=True)
class Figure:
    """`value` in `unit`, usually a multiple of a baseline; `detail` has the rates and times it was computed from."""

    part: str
    name: str
    value: float
    unit: str
    target: Target | None = None
    detail: str = ""

    @property
    def verdict(self) -> str:
        if self.target is None:
            return ""
        return "met" if self.target.is_met_by(self.value) else "missed"

    @property
    def shown(self) -> str:
        return f"{self.value:,.2f}" if abs(self.value) < 100 else f"{self.value:,.0f}"

    def __str__(self) -> str:
        target = f"target {self.target}: {self.verdict}" if self.target else ""
        return f"{self.name:<44} {self.shown:>8} {self.unit:<22} {target:<24} {self.detail}".rstrip()


def report(figure: Figure) -> None:
    print(figure, flush=True)
    if path := os.environ.get(FIGURES_FILE_VARIABLE):
        with Path(path).open("a") as file:
            file.write(json.dumps(asdict(figure)) + "\n")


def collected(path: Path) -> list[Figure]:
    figures = [json.loads(line) for line in path.read_text().splitlines()]
    return [
        Figure(**{**figure, "target": Target(**figure["target"]) if figure["target"] else None}) for figure in figures
    ]
