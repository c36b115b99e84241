"""What the events of jobs have in common; each service that runs jobs publishes its own."""

from datetime import datetime
from typing import ClassVar

from stockbuddy.contracts.event import Event


class JobProgress(Event):
    """A worker has begun with a job (`progress` 0, after an interruption again), or got further, in percent. Addressed
    to the user who requested the job; other users may not see it."""

    subject_template: ClassVar[str] = "user/{user_id}"

    job_id: int
    user_id: int
    url: str
    path: str
    progress: int


class JobState(Event):
    """A job ended: `done`, and its result can be read at `url` with `/result` added, or `failed`. Addressed to the
    user who requested it; other users may not see it. `path` is that of the request, without its query."""

    subject_template: ClassVar[str] = "user/{user_id}"

    job_id: int
    user_id: int
    url: str
    path: str
    state: str
    problem_code: str | None = None
    created_at: datetime
    finished_at: datetime
    expires_at: datetime
