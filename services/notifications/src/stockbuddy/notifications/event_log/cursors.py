"""Positions in the log as clients see them: cursors of the feed and ids of streamed events.

A cursor contains the epoch of the log, so that one from before a restore is recognised: the positions after the
restored one belong to other events now. In epoch 0 the cursor is the position. A cursor stays below 2^53, which
JavaScript represents exactly.
"""

import secrets
from dataclasses import dataclass
from typing import Self

from stockbuddy.notifications.errors import CursorAhead

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

    def is_known_to(self, head: "LogPosition") -> bool:
        """False if the log, whose last entry is `head`, has never reached this position. The start is always known."""
        return self.position == 0 or (self.epoch == head.epoch and self.position <= head.position)

    def require_known_to(self, head: "LogPosition") -> None:
        """Raises CursorAhead."""
        if not self.is_known_to(head):
            raise CursorAhead(head=head.to_cursor())


def next_epoch(current: int) -> int:
    """Random, because several restores of one backup start from the same epoch."""
    return next(epoch for epoch in iter(lambda: secrets.randbelow(MAX_EPOCH) + 1, 0) if epoch != current)
