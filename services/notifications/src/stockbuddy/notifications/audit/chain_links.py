"""Verifies entries of the chain one after the other, in the database as well as in an export."""

import hashlib
import json
from dataclasses import dataclass, field
from typing import Any

from stockbuddy.contracts.notifications import EntriesRedacted
from stockbuddy.notifications.event_log.chain import GENESIS, LogEntry, hash_entry
from stockbuddy.notifications.event_log.redaction import digest_entry, to_record


@dataclass(frozen=True, slots=True)
class Redaction:
    """An erasure has removed values from the entry; the event `redacted_by` records it in the log. `digest`: of the
    entry as it is now."""

    redacted_by: str
    previous_hash: bytes
    digest: bytes


@dataclass(frozen=True, slots=True)
class ChainLink:
    """An entry with its stored hash."""

    entry: LogEntry
    hash: bytes
    redaction: Redaction | None = None


@dataclass(slots=True)
class ChainState:
    """`hash` of the last entry that was followed; None if it is unknown, before the first entry of a part."""

    hash: bytes | None = GENESIS
    _redacted: dict[str, tuple[int, Any]] = field(default_factory=dict)
    """Event of a batch of redactions → the first redacted position, and the digest over the batch so far."""
    _recorded: dict[str, str] = field(default_factory=dict)
    """Event of a batch of redactions → the digest in the log."""

    def follow(self, link: ChainLink) -> bool:
        """Whether the entry follows from the one before it."""
        is_next = self.hash is None or self._is_proven(link, self.hash)
        self.hash = link.hash
        if link.entry.type == EntriesRedacted.type:
            self._recorded[link.entry.event_id] = str(json.loads(link.entry.data).get("digest"))
        return is_next

    def _is_proven(self, link: ChainLink, previous_hash: bytes) -> bool:
        redaction = link.redaction
        if redaction is None:
            return hash_entry(previous_hash, link.entry) == link.hash
        position = link.entry.position
        _, total = self._redacted.setdefault(redaction.redacted_by, (position, hashlib.sha256()))
        total.update(to_record(position, redaction.previous_hash, link.hash, redaction.digest))
        return redaction.previous_hash == previous_hash and redaction.digest == digest_entry(link.entry)

    def find_unrecorded(self) -> int | None:
        """The first entry whose redaction is not the one that the log records. Call it after the last entry."""
        unrecorded = [
            position
            for event_id, (position, total) in self._redacted.items()
            if self._recorded.get(event_id) != total.hexdigest()
        ]
        return min(unrecorded, default=None)
