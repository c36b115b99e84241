"""Classification of failures (ADR 13): the environment's fault, so that the same work succeeds later, or the item's.

The environment's faults make everything wait. An item (request, message, event, job, e-mail, delivery) that fails by
its own fault is set aside alone.
"""

import errno
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar


class DependencyUnavailable(Exception):
    """A dependency can't do its part at the moment; the same work may succeed later. Subclasses, or the constructor,
    name the dependency and the reason for people and for readiness."""

    dependency: str = "dependency"
    reason: str = "unavailable"

    def __init__(self, message: str = "", *, dependency: str | None = None, reason: str | None = None) -> None:
        self.dependency = dependency or self.dependency
        self.reason = reason or self.reason
        super().__init__(message)


@dataclass(frozen=True, slots=True)
class Failure:
    """The result of `classify`. `reason` is a snake_case code, such as `read_only`; `str()` is for people and contains
    no internal details: `database: read only`."""

    dependency: str
    reason: str

    OWN: ClassVar["Failure"]
    """The item's own fault."""

    @property
    def is_environment(self) -> bool:
        return self is not Failure.OWN

    @property
    def affects_everything(self) -> bool:
        """False for a fault that may be limited to one table or to heavy statements."""
        return self.is_environment and self.reason not in (LOCK_TIMEOUT, TIMED_OUT, BUSY)

    def __str__(self) -> str:
        return f"{self.dependency}: {self.reason.replace('_', ' ')}"


Failure.OWN = Failure("item", "own_fault")

DATABASE = "database"
UNREACHABLE = "unavailable"
READ_ONLY = "read_only"
DISK_FULL = "disk_full"
LOCK_TIMEOUT = "lock_timeout"
TIMED_OUT = "timed_out"
BUSY = "busy"

_ERRNOS = {errno.ENOSPC: DISK_FULL, errno.EDQUOT: DISK_FULL, errno.EROFS: READ_ONLY, errno.EIO: "storage_failed"}
_classifiers: list[Callable[[BaseException], Failure | None]] = []


def register_classifier(classifier: Callable[[BaseException], Failure | None]) -> None:
    """Let `classify` recognise a client library's errors: those that are none of the library's return None. The module
    that uses the library registers it, so that a process without a database does not load the database's."""
    _classifiers.append(classifier)


def classify(error: BaseException) -> Failure:
    """The failure that `error` reports; `Failure.OWN` if the item itself is at fault or nothing is known."""
    if isinstance(error, DependencyUnavailable):
        return Failure(error.dependency, error.reason)
    for classifier in _classifiers:
        if (failure := classifier(error)) is not None:
            return failure
    if isinstance(error, OSError) and error.errno in _ERRNOS:
        return Failure("storage", _ERRNOS[error.errno])
    if isinstance(error, TimeoutError):
        return Failure(DATABASE, TIMED_OUT)
    return Failure(DATABASE, UNREACHABLE) if isinstance(error, OSError) else Failure.OWN


def is_environment_fault(error: BaseException) -> bool:
    """True if the same work may succeed later without any change to it."""
    return classify(error).is_environment
