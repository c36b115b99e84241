"""Positions in the log as clients see them: cursors of the feed and ids of streamed events.

A cursor contains the epoch of the log, so that one from before a restore is recognised: the positions after the
restored one belong to other events now. In epoch 0 the cursor is the position. A cursor stays below 2^53, which
JavaScript represents exactly.
"""

import secrets
from dataclasses import dataclass
from typing import Self

from stockbuddy.notifications.errors import CursorAhead, CursorArchived

POSITIONS_PER_EPOCH = 10**12
MAX_EPOCH = 9000


@dataclass(frozen=True, slots=True)
class LogPosition:
    """The position of an entry, 0 before the first one, in an epoch of the log."""

    epoch: int
    position: int

    @classmethod
    def from_cursor(cls, cursor: str) -> Self:
        return cls(*divmod(int(cursor), POSITIONS_PER_EPOCH))

    def to_cursor(self) -> str:
        return str(self.epoch * POSITIONS_PER_EPOCH + self.position)


@dataclass(frozen=True, slots=True)
class LogExtent:
    """What the log has: the entries after the position `archived` (ADR 48) up to `head`."""

    archived: int
    head: LogPosition

    def has_all_after(self, after: LogPosition) -> bool:
        """Position 0 stands for the first entry that the log has."""
        return self._has_reached(after) and not self._has_archived_after(after.position)

    def require_all_after(self, after: LogPosition) -> None:
        """Raises CursorAhead, CursorArchived."""
        if not self._has_reached(after):
            raise CursorAhead(head=self.head.to_cursor())
        self.require_kept_after(after.position)

    def require_kept_after(self, position: int) -> None:
        """Raises CursorArchived."""
        if self._has_archived_after(position):
            raise CursorArchived(self.archived, start=LogPosition(self.head.epoch, self.archived).to_cursor())

    def _has_reached(self, after: LogPosition) -> bool:
        return after.position == 0 or (after.epoch == self.head.epoch and after.position <= self.head.position)

    def _has_archived_after(self, position: int) -> bool:
        return 0 < position < self.archived


def next_epoch(current: int) -> int:
    """Random, because several restores of one backup start from the same epoch."""
    return next(epoch for epoch in iter(lambda: secrets.randbelow(MAX_EPOCH) + 1, 0) if epoch != current)
