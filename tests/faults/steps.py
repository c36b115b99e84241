"""Kills a program at an exact step of its work: a trigger or a lock stops its transactions there, in the database."""

import contextlib
import signal
from collections.abc import AsyncIterator
from dataclasses import dataclass

from tests.faults.supervisor import SupervisedProgram
from tests.faults.verification import Verifier

# Advisory locks: each stopped transaction holds the first, and continues when it can get the second.
STOPPED, RELEASED = 11, 12
# Polls, because a statement may wait 4 s for a lock.
_CREATE_FUNCTION = f"""
    CREATE FUNCTION public.stop_at_step() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN
        PERFORM pg_advisory_xact_lock_shared({STOPPED});
        WHILE NOT pg_try_advisory_xact_lock_shared({RELEASED}) LOOP
            PERFORM pg_sleep(0.01);
        END LOOP;
        RETURN NEW;
    END$$
"""
_DROP_FUNCTION = "DROP FUNCTION public.stop_at_step CASCADE"
_COUNT_STOPPED = f"SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = {STOPPED} AND granted"


@dataclass(frozen=True)
class Step:
    """A statement on rows of `table`: `event` is INSERT or UPDATE, `condition` is of NEW and OLD. The program dies
    before the statement takes effect or, if it `commits`, after the commit and before it learns of it. `transactions`:
    how many of them are stopped, at least."""

    name: str
    event: str
    table: str
    condition: str
    commits: bool = False
    transactions: int = 1

    @property
    def trigger(self) -> str:
        begin, timing = ("CREATE CONSTRAINT TRIGGER", "AFTER") if self.commits else ("CREATE TRIGGER", "BEFORE")
        return f"""
            {begin} stop_at_step {timing} {self.event} ON {self.table}
            {"DEFERRABLE INITIALLY DEFERRED" if self.commits else ""}
            FOR EACH ROW WHEN ({self.condition}) EXECUTE FUNCTION public.stop_at_step()
        """

    @contextlib.asynccontextmanager
    async def killing(self, program: SupervisedProgram, verifier: Verifier) -> AsyncIterator[None]:
        """The block starts the work; at its end the program is killed at the step, and everything continues."""
        await verifier.execute(f"{_CREATE_FUNCTION}; {self.trigger}")
        try:
            async with verifier.locked(f"SELECT pg_advisory_xact_lock({RELEASED})"):
                yield
                await verifier.wait_until(f"SELECT ({_COUNT_STOPPED}) >= $1", True, self.transactions)
                # A stopped process lets its commits take effect without learning of it.
                starts = program.starts
                program.signal(signal.SIGSTOP if self.commits else signal.SIGKILL)
            if self.commits:
                await verifier.wait_until(_COUNT_STOPPED, 0)
                program.signal(signal.SIGKILL)
            await program.wait_for_start_after(starts)
        finally:
            await verifier.execute(_DROP_FUNCTION)


@dataclass(frozen=True)
class Reading:
    """A read of `table`, for which the program waits when it dies."""

    name: str
    table: str

    @contextlib.asynccontextmanager
    async def killing(self, program: SupervisedProgram, verifier: Verifier) -> AsyncIterator[None]:
        """As that of a step."""
        waiting = "SELECT EXISTS (SELECT FROM pg_locks WHERE relation = CAST($1 AS regclass) AND NOT granted)"
        async with verifier.locked(f"LOCK TABLE {self.table} IN ACCESS EXCLUSIVE MODE"):
            yield
            await verifier.wait_until(waiting, True, self.table)
            starts = program.starts
            program.signal(signal.SIGKILL)
        await program.wait_for_start_after(starts)


def steps_of_events(service: str, event: str, finished: str, table: str) -> list[Step]:
    """The steps after the work, when `event`, which `finished` rows of `table` cause, is published."""
    return [
        Step("done, event not published", "UPDATE", table, f"NEW.state = '{finished}'", commits=True, transactions=2),
        Step(
            "event published, not recorded as such",
            "UPDATE",
            f"{service}.outbox_chunk",
            f"NEW.sent_at IS NOT NULL AND NEW.types LIKE '%{event}%'",
        ),
    ]


def steps_of_jobs(service: str) -> list[Step]:
    """Those of reports and exports, apart from the reads. Two workers run jobs."""
    job = f"{service}.job"
    return [
        Step("job claimed", "UPDATE", job, "NEW.runner IS DISTINCT FROM OLD.runner", commits=True, transactions=2),
        Step("result stored, not done", "UPDATE", job, "NEW.state = 'done'", transactions=2),
        *steps_of_events(service, f"{service}.job.finished", "done", job),
    ]
