"""Events about the event log itself."""

from datetime import datetime
from typing import ClassVar

from stockbuddy.contracts.event import Event


class CheckpointSigned(Event):
    """The head of the event log was signed. `position` and `hash` (hex) are those of its last entry, `audited` is the
    number of audited entries; `jws` is the signed checkpoint, which reveals a log that is rewritten later."""

    type: ClassVar[str] = "notifications.checkpoint.signed"
    subject_template: ClassVar[str] = "checkpoint/{checkpoint_id}"

    checkpoint_id: int
    position: int
    epoch: int
    audited: int
    hash: str
    kid: str
    jws: str
    signed_at: datetime


class EntriesArchived(Event):
    """The entries from `first` to `last` were moved from the event log to `file`, whose SHA-256 is `sha256`. `hash` is
    that of the last one, which the first entry of the log continues. Hashes are in hex."""

    type: ClassVar[str] = "notifications.entries.archived"
    subject_template: ClassVar[str] = "entries/{last}"

    first: int
    last: int
    hash: str
    file: str
    sha256: str


class EntriesRedacted(Event):
    """An erasure removed the values of `person` from `entries` entries between `first` and `last`, which an earlier
    release had logged. `digest`: SHA-256 over the redactions, with which the verification confirms those entries."""

    type: ClassVar[str] = "notifications.entries.redacted"
    subject_template: ClassVar[str] = "{person}"

    person: str
    first: int
    last: int
    entries: int
    digest: str
