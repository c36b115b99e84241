"""Where the log begins: what `stockbuddy events archive` has moved to files is recorded in `event_log_archive`."""

from dataclasses import dataclass

import asyncpg

from stockbuddy.notifications.event_log.chain import GENESIS

_LAST = "SELECT last, hash, audited FROM event_log_archive ORDER BY last DESC LIMIT 1"


@dataclass(frozen=True, slots=True)
class ChainStart:
    """The last archived entry, which the chain continues; at position 0 if there is none. `audited`: the number of
    audited entries up to it."""

    position: int = 0
    hash: bytes = GENESIS
    audited: int = 0


async def read_chain_start(connection: asyncpg.Connection) -> ChainStart:
    row = await connection.fetchrow(_LAST)
    return ChainStart() if row is None else ChainStart(*row)
