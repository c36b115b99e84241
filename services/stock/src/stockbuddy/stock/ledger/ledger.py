"""How a request hands a posting in: waits for its outcome, decides anew on stale documents, and answers repetitions."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Sequence

from stockbuddy.chassis.http.errors import Problem, Unavailable
from stockbuddy.chassis.http.idempotency import IdempotencyKey, ReplayedResponse, StoredResponse, stored_response_for
from stockbuddy.chassis.postgres.database import Database
from stockbuddy.chassis.runtime.failures import is_connection_error
from stockbuddy.stock.errors import ConcurrentUpdate
from stockbuddy.stock.ledger import statements
from stockbuddy.stock.ledger.group_commit import LONGEST_PAUSE_SECONDS, PATIENCE_SECONDS, GroupCommitter
from stockbuddy.stock.ledger.postings import Accepted, Failed, Outcome, Posting, Refused, Replayed, Stale

DECISIONS = 200
"""Of each group at least one posting on the same document goes through, so this many others can be concurrent_update."""


class Ledger:
    """Where documents are handed in; `app.state.ledger`."""

    def __init__(self, database: Database, committer: GroupCommitter) -> None:
        self._database = database
        self._committer = committer

    async def submit(self, key: IdempotencyKey | None, decide: Callable[[], Awaitable[Posting]]) -> StoredResponse:
        """Apply what `decide` makes of the present state; it is called again when that state has changed meanwhile.

        Raises the Problem that refuses it, or ReplayedResponse for a repetition of an accepted request, even if the
        state would now refuse it.
        """
        try:
            return await self._post(decide)
        except Problem:
            if key is not None and (answer := await self._stored_answer(key)) is not None:
                raise ReplayedResponse(answer) from None
            raise

    async def submit_in_order(
        self, requests: Sequence[tuple[IdempotencyKey | None, Callable[[], Awaitable[Posting]]]]
    ) -> list[StoredResponse | ReplayedResponse | Problem]:
        """Many at once, applied in this order, each accepted or refused for itself."""
        drafts = await asyncio.gather(*(_decide(decide) for _, decide in requests), return_exceptions=True)
        posted = iter(
            await asyncio.gather(*(self._committer.post(draft) for draft in drafts if isinstance(draft, Posting)))
        )
        results: list[StoredResponse | ReplayedResponse | Problem] = []
        for (key, decide), draft in zip(requests, drafts, strict=True):
            if isinstance(draft, BaseException):
                results.append(await self._refusal(key, draft))
            else:
                results.append(await self._result(key, decide, next(posted)))
        return results

    async def _result(
        self, key: IdempotencyKey | None, decide: Callable[[], Awaitable[Posting]], outcome: Outcome
    ) -> StoredResponse | ReplayedResponse | Problem:
        match outcome:
            case Accepted(answer):
                return answer
            case Replayed(answer):
                return ReplayedResponse(answer)
            case Refused(problem):
                return await self._refusal(key, problem)
            case Failed(error):
                raise error
            case Stale():
                try:
                    return await self.submit(key, decide)
                except (Problem, ReplayedResponse) as result:
                    return result

    async def _refusal(self, key: IdempotencyKey | None, error: BaseException) -> ReplayedResponse | Problem:
        """A refusal, unless the same was accepted before."""
        if not isinstance(error, Problem):
            raise error
        try:
            answer = None if key is None else await self._stored_answer(key)
        except Problem as reused:
            return reused
        return error if answer is None else ReplayedResponse(answer)

    async def _post(self, decide: Callable[[], Awaitable[Posting]]) -> StoredResponse:
        for _ in range(DECISIONS):
            match await self._committer.post(await _decide(decide)):
                case Accepted(answer):
                    return answer
                case Replayed(answer):
                    raise ReplayedResponse(answer)
                case Refused(problem):
                    raise problem
                case Failed(error):
                    raise error
        raise ConcurrentUpdate()

    async def _stored_answer(self, key: IdempotencyKey) -> StoredResponse | None:
        async with self._database.raw() as connection:
            row = await connection.fetchrow(statements.STORED_ANSWER, key.caller, key.key)
        return None if row is None else stored_response_for(key, row["fingerprint"], row["status"], row["body"])


async def _decide(decide: Callable[[], Awaitable[Posting]]) -> Posting:
    """Reading may be repeated: a connection that is lost meanwhile is no concern of the client's."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    pause_seconds = 0.02
    while True:
        try:
            return await decide()
        except Exception as error:
            if not is_connection_error(error):
                raise
            if time.monotonic() > deadline:
                raise Unavailable() from error
        await asyncio.sleep(random.uniform(0, pause_seconds))
        pause_seconds = min(pause_seconds * 2, LONGEST_PAUSE_SECONDS)
