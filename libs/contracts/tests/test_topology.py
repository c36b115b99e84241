"""Topic patterns follow AMQP 0-9-1."""

import pytest

from stockbuddy.contracts.topology import matches, types_for


@pytest.mark.parametrize(
    ("pattern", "event_type", "heard"),
    [
        ("stock.level.changed", "stock.level.changed", True),
        ("stock.level.changed", "stock.level.changed.v2", False),
        ("stock.*", "stock.level.changed", False),
        ("stock.*.changed", "stock.level.changed", True),
        ("stock.#", "stock.level.changed", True),
        ("stock.#", "stock", True),
        ("stock.#", "stockings.level", False),
        ("#", "anything.at.all", True),
        ("#.changed", "stock.level.changed", True),
        ("#.changed", "stock.level.low", False),
    ],
)
def test_topic_patterns_match_as_on_a_broker(pattern: str, event_type: str, heard: bool) -> None:
    assert matches(pattern, event_type) is heard


def test_queue_receives_the_types_of_its_patterns() -> None:
    published = ("stock.level.low", "catalog.product.created", "auth.user.registered")
    assert types_for(("stock.level.*",), published) == {"stock.level.low"}
    assert types_for(("#",), published) == set(published)
    assert types_for(("auth.#", "stock.#"), published) == {"stock.level.low", "auth.user.registered"}
