"""Topic patterns follow AMQP 0-9-1."""

import pytest

from stockbuddy.contracts.topology import consumers_of, matches


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


def test_groups_receive_the_types_of_their_patterns() -> None:
    groups = {"a.v1": ("stock.level.*",), "b.v1": ("#",), "c.v1": ("auth.#", "stock.#")}
    assert consumers_of("stock.level.low", groups) == ["a.v1", "b.v1", "c.v1"]
    assert consumers_of("catalog.product.created", groups) == ["b.v1"]
