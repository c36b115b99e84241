"""The report of an import: counts of lines, and totals computed from the file, the responses and the stock levels."""

from collections import Counter
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from stockbuddy.embedded.replay.history import History


@dataclass(slots=True)
class Totals:
    """Units and revenue, less returns and refunds."""

    units: Decimal = Decimal()
    revenue: Decimal = Decimal()

    def add(self, units: Decimal, revenue: Decimal) -> None:
        self.units += units
        self.revenue += revenue


@dataclass(slots=True)
class ReplayReport:
    """`file`: totals of the posted lines; `responses`: totals in the API's responses; `ledger_units`: units that left
    the stock according to its levels."""

    history: History
    posted: int = 0
    replayed_requests: int = 0
    seconds: float = 0.0
    file: Totals = field(default_factory=Totals)
    responses: Totals = field(default_factory=Totals)
    ledger_units: Decimal = Decimal()

    def reject(self, numbers: list[int], reason: str) -> None:
        for number in numbers:
            self.history.rejected[number] = reason

    @property
    def totals_agree(self) -> bool:
        is_complete = self.history.lines_read == self.posted + len(self.history.rejected)
        return is_complete and self.file == self.responses and self.ledger_units == self.responses.units

    def text(self) -> str:
        reasons = Counter(self.history.rejected.values())
        rate = self.posted / self.seconds if self.seconds else 0
        rows: list[tuple[str, Any]] = [
            ("lines read", f"{self.history.lines_read:,}"),
            ("  posted", f"{self.posted:,}"),
            ("  rejected", f"{len(self.history.rejected):,}"),
            *((f"    {reason}", f"{count:,}") for reason, count in reasons.most_common()),
            (
                "units sold, less returned",
                f"{self.responses.units:,} (file {self.file.units:,}, ledger {self.ledger_units:,})",
            ),
            ("revenue, less refunds", f"{self.responses.revenue:,.2f} (file {self.file.revenue:,.2f})"),
            ("time", f"{self.seconds:,.1f} s, {rate:,.0f} lines/s, {self.replayed_requests:,} requests replayed"),
            ("totals agree", "yes" if self.totals_agree else "NO"),
        ]
        width = max(len(name) for name, _ in rows)
        return "\n".join(f"{name:<{width}}  {value}" for name, value in rows)
