"""Repeated events are counted instead of published."""

from stockbuddy.chassis.runtime.repetitions import INTERVAL_SECONDS, MAX_KEYS, RepetitionCounter


class Clock:
    """A clock that the test sets."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_first_event_in_each_minute_is_published_with_the_repetitions_before_it() -> None:
    clock = Clock()
    counter = RepetitionCounter(clock)
    assert [counter.count("ann") for _ in range(4)] == [0, None, None, None]
    assert counter.count("bob") == 0, "each key counts on its own"
    clock.now += INTERVAL_SECONDS
    assert [counter.count("ann") for _ in range(2)] == [3, None]


def test_number_of_keys_is_limited() -> None:
    counter = RepetitionCounter()
    for number in range(MAX_KEYS + 1):
        counter.count(number)
    assert [counter.count(0), counter.count(MAX_KEYS)] == [0, None]
