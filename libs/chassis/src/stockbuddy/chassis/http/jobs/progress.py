"""The progress of the job that runs in the current task, which an endpoint may report."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass


@dataclass(slots=True)
class Progress:
    """`percent`: from 0 to 100."""

    percent: int = 0


_current: ContextVar[Progress | None] = ContextVar("job_progress", default=None)


def is_tracked() -> bool:
    """Whether the current task runs a job: only then is it worth counting what there is to do."""
    return _current.get() is not None


def report_progress(done: int, total: int) -> None:
    """Record that `done` of `total` rows are done. Without effect outside a job."""
    if (progress := _current.get()) is not None and total > 0:
        progress.percent = min(99, done * 100 // total)


@contextmanager
def tracked_progress() -> Iterator[Progress]:
    """Track what the block reports."""
    progress = Progress()
    token = _current.set(progress)
    try:
        yield progress
    finally:
        _current.reset(token)
