"""The entry point of the ledger: submits postings, retries stale ones, and replays repeated requests."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from stockbuddy.chassis.http.errors import Forbidden, Problem, Unavailable
from stockbuddy.chassis.http.idempotency import IdempotencyKey, ReplayedResponse, StoredResponse
from stockbuddy.chassis.postgres.database import Database
from stockbuddy.chassis.runtime.failures import is_environment_fault
from stockbuddy.stock.errors import ConcurrentUpdate
from stockbuddy.stock.ledger import statements
from stockbuddy.stock.ledger.group_commit import MAX_RETRY_DELAY_SECONDS, TIMEOUT_SECONDS, GroupCommitter
from stockbuddy.stock.ledger.postings import Accepted, Failed, Posting, PostingOutcome, Refused, Replayed, Stale
from stockbuddy.stock.ledger.rows import IdempotencyKeyRow

MAX_RETRIES_ON_CONFLICT = 200
"""Maximum optimistic-lock retries. Each group commits at least one posting per document, so this bounds the concurrent
writers of one document."""

Plan = Callable[[], Awaitable[Posting]]
"""Reads the current state and returns the posting for it. Called again if that state has changed meanwhile."""


@dataclass(frozen=True, slots=True)
class Submission:
    """A request to post, with its idempotency key if it has one."""

    key: IdempotencyKey | None
    plan: Plan


class Ledger:
    def __init__(self, database: Database, committer: GroupCommitter) -> None:
        self._database = database
        self._committer = committer

    async def submit(self, key: IdempotencyKey | None, plan: Plan) -> StoredResponse:
        """Post what `plan` returns. Raises the Problem that refuses it, or ReplayedResponse if the request was accepted
        before, even if the current state would refuse it. The caller's permission is required in either case."""
        try:
            return await self._post(plan)
        except Forbidden:
            raise
        except Problem:
            if key is not None and (stored := await self._find_stored(key)) is not None:
                raise ReplayedResponse(stored) from None
            raise

    async def submit_in_order(
        self, submissions: Sequence[Submission]
    ) -> list[StoredResponse | ReplayedResponse | Problem]:
        """Post several, applied in this order, each accepted or refused on its own."""
        planned = await asyncio.gather(*(_plan(each.plan) for each in submissions), return_exceptions=True)
        outcomes = iter(
            await asyncio.gather(
                *(self._committer.post(posting) for posting in planned if isinstance(posting, Posting))
            )
        )
        results: list[StoredResponse | ReplayedResponse | Problem] = []
        for submission, posting in zip(submissions, planned, strict=True):
            if isinstance(posting, BaseException):
                results.append(await self._refusal(submission.key, posting))
            else:
                results.append(await self._result(submission, next(outcomes)))
        return results

    async def _result(
        self, submission: Submission, outcome: PostingOutcome
    ) -> StoredResponse | ReplayedResponse | Problem:
        match outcome:
            case Accepted(response):
                return response
            case Replayed(response):
                return ReplayedResponse(response)
            case Refused(problem):
                return await self._refusal(submission.key, problem)
            case Failed(error):
                raise error
            case Stale():
                try:
                    return await self.submit(submission.key, submission.plan)
                except (Problem, ReplayedResponse) as result:
                    return result

    async def _refusal(self, key: IdempotencyKey | None, error: BaseException) -> ReplayedResponse | Problem:
        """The problem, or the stored response if the request was accepted before and the caller may still send it."""
        if not isinstance(error, Problem):
            raise error
        if isinstance(error, Forbidden):
            return error
        try:
            stored = None if key is None else await self._find_stored(key)
        except Problem as reused:
            return reused
        return error if stored is None else ReplayedResponse(stored)

    async def _post(self, plan: Plan) -> StoredResponse:
        for _ in range(MAX_RETRIES_ON_CONFLICT):
            match await self._committer.post(await _plan(plan)):
                case Accepted(response):
                    return response
                case Replayed(response):
                    raise ReplayedResponse(response)
                case Refused(problem):
                    raise problem
                case Failed(error):
                    raise error
        raise ConcurrentUpdate()

    async def _find_stored(self, key: IdempotencyKey) -> StoredResponse | None:
        async with self._database.raw() as connection:
            row = await connection.fetchrow(statements.FIND_STORED_KEY, key.caller, key.key)
        return None if row is None else IdempotencyKeyRow(**row).to_response(key)


async def _plan(plan: Plan) -> Posting:
    """Call `plan`, which only reads, and repeat it after connection errors. Raises Unavailable after
    TIMEOUT_SECONDS."""
    deadline = time.monotonic() + TIMEOUT_SECONDS
    delay_seconds = 0.02
    while True:
        try:
            return await plan()
        except Exception as error:
            if not is_environment_fault(error):
                raise
            if time.monotonic() > deadline:
                raise Unavailable() from error
        await asyncio.sleep(random.uniform(0, delay_seconds))
        delay_seconds = min(delay_seconds * 2, MAX_RETRY_DELAY_SECONDS)
