"""An import as a job: one runner at a time holds it by a lease, and its progress is committed with its effects."""

from dataclasses import dataclass, field

from stockbuddy.chassis.messaging.event_context import EventContext
from stockbuddy.contracts.event import Event


@dataclass(frozen=True, slots=True)
class Job:
    """What a runner needs to know of the import that it holds."""

    id: int
    runner: str
    dry_run: bool
    columns: list[str]
    total: int | None
    attempts: int
    lease_seconds: float
    actor_id: int
    origin: EventContext


@dataclass(slots=True)
class Outcome:
    """What became of some rows. `problems` are by row number; `events` are said when the rows' effects are kept."""

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    problems: dict[int, str] = field(default_factory=dict)
    events: list[Event] = field(default_factory=list)

    def add(self, other: "Outcome") -> None:
        self.created += other.created
        self.updated += other.updated
        self.unchanged += other.unchanged
        self.problems.update(other.problems)
        self.events += other.events
