"""How a request hands a posting in: waits for its outcome, decides anew on stale documents, and answers repetitions."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable

from stockbuddy.chassis.database import Database, is_database_away
from stockbuddy.chassis.errors import Problem, Unavailable
from stockbuddy.chassis.idempotency import Answer, AnsweredBefore, IdempotencyKey, answer_for
from stockbuddy.stock.errors import Overtaken
from stockbuddy.stock.ledger import statements
from stockbuddy.stock.ledger.committer import LONGEST_PAUSE_SECONDS, PATIENCE_SECONDS, Committer
from stockbuddy.stock.ledger.postings import Accepted, Failed, Posting, Refused, Replayed

DECISIONS = 200
"""Of each group at least one posting on the same document goes through, so this many others can be overtaken."""


class Ledger:
    """Where documents are handed in; `app.state.ledger`."""

    def __init__(self, database: Database, committer: Committer) -> None:
        self._database = database
        self._committer = committer

    async def submit(self, key: IdempotencyKey | None, decide: Callable[[], Awaitable[Posting]]) -> Answer:
        """Apply what `decide` makes of the present state; it is called again when that state has changed meanwhile.

        Raises the Problem that refuses it, or AnsweredBefore for a repetition of an accepted request, even if the
        state would now refuse it.
        """
        try:
            return await self._post(decide)
        except Problem:
            if key is not None and (answer := await self._stored_answer(key)) is not None:
                raise AnsweredBefore(answer) from None
            raise

    async def _post(self, decide: Callable[[], Awaitable[Posting]]) -> Answer:
        for _ in range(DECISIONS):
            match await self._committer.post(await _decide(decide)):
                case Accepted(answer):
                    return answer
                case Replayed(answer):
                    raise AnsweredBefore(answer)
                case Refused(problem):
                    raise problem
                case Failed(error):
                    raise error
        raise Overtaken()

    async def _stored_answer(self, key: IdempotencyKey) -> Answer | None:
        async with self._database.raw() as connection:
            row = await connection.fetchrow(statements.STORED_ANSWERS, [key.caller], [key.key])
        return None if row is None else answer_for(key, row["fingerprint"], row["status"], row["body"])


async def _decide(decide: Callable[[], Awaitable[Posting]]) -> Posting:
    """Reading may be repeated: a connection that is lost meanwhile is no concern of the client's."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    pause_seconds = 0.02
    while True:
        try:
            return await decide()
        except Exception as error:
            if not is_database_away(error):
                raise
            if time.monotonic() > deadline:
                raise Unavailable() from error
        await asyncio.sleep(random.uniform(0, pause_seconds))
        pause_seconds = min(pause_seconds * 2, LONGEST_PAUSE_SECONDS)
