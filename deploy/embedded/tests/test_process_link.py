"""The connection between the two processes of an embedded system."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator

import pytest

from stockbuddy.chassis.runtime.failures import DependencyUnavailable
from stockbuddy.chassis.runtime.signals import Signals
from stockbuddy.embedded.process_link import Answers, ProcessLink


class End:
    def __init__(self, end: socket.socket, answers: Answers) -> None:
        self.signals = Signals()
        self.link = ProcessLink(end, {"stock": self.signals}, answers)
        self.received = 0
        self._changed = asyncio.Condition()
        self.signals.listen("committed", self._count)

    def _count(self) -> None:
        self.received += 1


@contextlib.asynccontextmanager
async def connected(answers: Answers) -> AsyncIterator[tuple[End, End]]:
    one, other = socket.socketpair()
    first, second = End(one, {}), End(other, answers)
    async with first.link.opened(), second.link.opened():
        yield first, second


async def test_signals_reach_the_listeners_of_both_processes() -> None:
    async with connected({"received": lambda: second.received}) as (first, second):
        for _ in range(3):  # of one turn of the event loop
            first.signals.send("committed")
        assert await first.link.ask("received") == 1
        assert first.received == 3
        second.signals.send("committed")
        await first.link.ask("received")
        assert (first.received, second.received) == (4, 2)


async def test_answers_are_json_and_of_their_question() -> None:
    async with connected({"many": lambda: ["ä" * 1_000_000], "none": lambda: None}) as (first, _):
        many, none = await asyncio.gather(first.link.ask("many"), first.link.ask("none"))
        assert (many, none) == (["ä" * 1_000_000], None)


async def test_end_of_the_other_process_is_noticed() -> None:
    one, other = socket.socketpair()
    end = End(one, {})
    async with end.link.opened():
        other.close()
        await end.link.closed.wait()
        end.signals.send("committed")
        with pytest.raises(DependencyUnavailable, match="has ended"):
            await end.link.ask("received")


async def test_process_that_does_not_read_delays_nothing() -> None:
    one, other = socket.socketpair()
    end = End(one, {})
    with other:
        async with end.link.opened():
            for _ in range(50_000):
                end.signals.send("committed")
                await asyncio.sleep(0)
            with pytest.raises(DependencyUnavailable, match="does not answer"):
                await end.link.ask("received")
            assert end.received == 50_000
