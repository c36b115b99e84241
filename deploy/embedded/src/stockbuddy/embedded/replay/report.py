"""What came of a replay: the count of lines and of money, ours beside the API's own."""

from collections import Counter
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from stockbuddy.embedded.replay.history import History


@dataclass(slots=True)
class Totals:
    """Units and revenue; returns count against both."""

    units: Decimal = Decimal()
    revenue: Decimal = Decimal()

    def add(self, units: Decimal, revenue: Decimal) -> None:
        self.units += units
        self.revenue += revenue


@dataclass(slots=True)
class Outcome:
    """`file` is what the posted lines say, `answers` what the API said to them, `ledger` what it holds afterwards."""

    history: History
    posted: int = 0
    replayed_calls: int = 0
    seconds: float = 0.0
    file: Totals = field(default_factory=Totals)
    answers: Totals = field(default_factory=Totals)
    ledger_units: Decimal = Decimal()

    def refuse(self, numbers: list[int], reason: str) -> None:
        for number in numbers:
            self.history.refused[number] = reason

    @property
    def agrees(self) -> bool:
        whole = self.history.lines_read == self.posted + len(self.history.refused)
        return whole and self.file == self.answers and self.ledger_units == self.answers.units

    def text(self) -> str:
        reasons = Counter(self.history.refused.values())
        rate = self.posted / self.seconds if self.seconds else 0
        rows: list[tuple[str, Any]] = [
            ("lines read", f"{self.history.lines_read:,}"),
            ("  posted", f"{self.posted:,}"),
            ("  refused", f"{len(self.history.refused):,}"),
            *((f"    {reason}", f"{count:,}") for reason, count in reasons.most_common()),
            (
                "units sold, less returned",
                f"{self.answers.units:,} (file {self.file.units:,}, ledger {self.ledger_units:,})",
            ),
            ("revenue, less refunds", f"{self.answers.revenue:,.2f} (file {self.file.revenue:,.2f})"),
            ("time", f"{self.seconds:,.1f} s, {rate:,.0f} lines/s, {self.replayed_calls:,} calls were known already"),
            ("the API agrees", "yes" if self.agrees else "NO"),
        ]
        width = max(len(name) for name, _ in rows)
        return "\n".join(f"{name:<{width}}  {value}" for name, value in rows)
