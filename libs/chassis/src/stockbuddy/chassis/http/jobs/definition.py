"""What a service that runs jobs adds to them: its events, and what follows from the end of a job."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.contracts.jobs import JobProgress, JobState

OnFinished = Callable[[AsyncSession, JobState], Awaitable[None]]
"""Runs in the transaction in which a job ends, once per job."""


async def _do_nothing(_session: AsyncSession, _job: JobState) -> None:
    pass


@dataclass(frozen=True, slots=True)
class JobDefinition:
    """`progressed`, `finished`: the service's events. `on_finished`: what else happens when a job ends."""

    progressed: type[JobProgress]
    finished: type[JobState]
    on_finished: OnFinished = _do_nothing
