"""The clock that follows the database server."""

import time

import pytest

from stockbuddy.chassis.runtime import clock as clocks
from stockbuddy.chassis.runtime.clock import Clock
from stockbuddy.chassis.runtime.companies import company_context

SERVER_TIME = 4_000_000_000.0


def test_clock_follows_the_server_and_not_the_machine() -> None:
    clock = Clock()
    assert clock.time() == pytest.approx(time.time(), abs=1)
    now = time.monotonic()
    clock.synchronise(SERVER_TIME, sent_at=now, received_at=now)
    assert clock.time() == pytest.approx(SERVER_TIME, abs=1)


def test_comparison_with_a_slow_round_trip_changes_nothing() -> None:
    clock, now = Clock(), time.monotonic()
    clock.synchronise(SERVER_TIME, sent_at=now, received_at=now)
    clock.synchronise(SERVER_TIME + 100, sent_at=now - 900, received_at=now + 900)
    assert clock.time() == pytest.approx(SERVER_TIME, abs=1)


def test_corrected_server_corrects_the_clock() -> None:
    clock, now = Clock(), time.monotonic()
    clock.synchronise(SERVER_TIME, sent_at=now, received_at=now)
    clock.synchronise(SERVER_TIME - 3600, sent_at=now, received_at=now)
    assert clock.time() == pytest.approx(SERVER_TIME - 3600, abs=1)


def test_database_server_of_one_company_moves_the_clock_of_no_other() -> None:
    now = time.monotonic()
    with company_context("with-a-wrong-server"):
        clocks.company_clock().synchronise(SERVER_TIME, sent_at=now, received_at=now)
        assert clocks.timestamp() == pytest.approx(SERVER_TIME, abs=1)
    with company_context("with-a-right-server"):
        assert clocks.timestamp() == pytest.approx(time.time(), abs=1)
