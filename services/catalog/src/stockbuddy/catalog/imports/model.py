"""An import job, and the result of importing some of its rows."""

from dataclasses import dataclass, field

from stockbuddy.catalog.imports.options import ImportOptions
from stockbuddy.chassis.runtime.event_context import EventContext
from stockbuddy.contracts.event import Event

StagedRow = tuple[int, list[str], str | None]
"""A row's number in the file, its cells, and the problem if staging found one."""


@dataclass(frozen=True, slots=True)
class ImportJob:
    """A job under a lease. `runner` identifies the holder; `total` is None until the file is staged as rows.
    `warehouse_ids`: those to which the actor was restricted at the upload, None for all."""

    id: int
    runner: str
    dry_run: bool
    columns: list[str]
    options: ImportOptions
    total: int | None
    attempts: int
    lease_seconds: float
    actor_id: int
    warehouse_ids: frozenset[int] | None
    context: EventContext


@dataclass(slots=True)
class ImportResult:
    """`problems` are by row number; `events` are published when the rows' changes commit."""

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    problems: dict[int, str] = field(default_factory=dict)
    events: list[Event] = field(default_factory=list)

    def add(self, other: "ImportResult") -> None:
        self.created += other.created
        self.updated += other.updated
        self.unchanged += other.unchanged
        self.problems.update(other.problems)
        self.events += other.events
