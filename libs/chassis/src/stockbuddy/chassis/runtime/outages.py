"""Logs an outage of a dependency once when a component first meets it, then every 30 s, and its end."""

import time
from typing import Any

import structlog

from stockbuddy.chassis.runtime.failures import Failure, classify

log = structlog.get_logger(__name__)

REPEAT_INTERVAL_SECONDS = 30.0


class OutageLog:
    """The outage that one component is waiting for. `event` names its log lines, `fields` are added to them."""

    def __init__(self, event: str, **fields: Any) -> None:
        self.failure: Failure | None = None
        """What the component waits for; None while it works."""
        self._event = event
        self._fields = fields
        self._began_at = 0.0
        self._logged_at = 0.0

    def record(self, error: BaseException) -> None:
        """The component failed again, by the environment's fault."""
        now = time.monotonic()
        failure = classify(error)
        if self.failure is None:
            self._began_at = now
        if self.failure != failure or now - self._logged_at >= REPEAT_INTERVAL_SECONDS:
            self._logged_at = now
            seconds = round(now - self._began_at)
            log.warning(self._event, **self._fields, failure=str(failure), error=repr(error), since_seconds=seconds)
        self.failure = failure

    def end(self) -> None:
        """The component works."""
        if self.failure is not None:
            seconds = round(time.monotonic() - self._began_at)
            log.warning(self._event, **self._fields, ended=True, failure=str(self.failure), seconds=seconds)
            self.failure = None
