"""Patterns of clients: matched in linear time, limited, and read by one function for all calls."""

import re
import time
from typing import Any

import pytest
from httpx2 import AsyncClient

from stockbuddy.notifications.event_log.patterns import MAX_PATTERNS, MAX_WILDCARDS, matches, to_expression

TYPES = ("stock.level.low", "stock.level.changed", "auth.user.logged_in", "a", "aa", "aaa", "", "stock..low", "lowlow")
PATTERNS = (
    *("*", "**", "stock.*", "*.low", "stock.*.low", "*level*", "a*a", "a*a*a", "*a*", "stock.level.low", "lo*ow"),
    *("*low*low", "stock", "s*k.*l*w", "****"),
)


@pytest.mark.parametrize("pattern", PATTERNS)
def test_matching_agrees_with_the_regular_expression_of_the_database(pattern: str) -> None:
    expression = re.compile(to_expression((pattern,)))
    assert [matches(pattern, name) for name in TYPES] == [bool(expression.match(name)) for name in TYPES]


def test_pattern_with_many_wildcards_is_matched_in_linear_time() -> None:
    """Not reachable for clients, whose patterns are limited; webhooks of earlier releases may have such patterns."""
    started = time.perf_counter()
    assert not matches("*a" * 5_000 + "x", "a" * 20_000)
    assert time.perf_counter() - started < 30


MANY = ",".join(f"a{number}" for number in range(MAX_PATTERNS + 1))
REJECTED = ("*" * 99 + "x", "*" * (MAX_WILDCARDS + 1), MANY, "stock;drop", "a" * 101, "stock.*,")


@pytest.mark.parametrize("types", REJECTED)
async def test_excessive_pattern_is_rejected_everywhere(admin: AsyncClient, types: str) -> None:
    webhook = {"url": "https://example.com/hook", "event_types": types.split(",")}
    for response in (
        await admin.get("/events", params={"types": types}),
        await admin.get("/stream", params={"types": types}),
        await admin.get("/audit-logs", params={"type": types}),
        await admin.post("/webhooks", json=webhook),
    ):
        assert (response.status_code, response.json()["code"]) == (422, "validation_error"), response.request.url


async def test_repeated_parameters_count_together(admin: AsyncClient) -> None:
    query: Any = [("types", f"a{number}") for number in range(MAX_PATTERNS + 1)]
    assert (await admin.get("/events", params=query)).status_code == 422
    assert (await admin.get("/events", params=query[1:])).status_code == 200


async def test_empty_parameters_are_absent(admin: AsyncClient, service: Any, samples: Any) -> None:
    await service.publish(samples.movement())
    assert len((await admin.get("/events", params={"types": "", "after": ""})).json()["items"]) == 1
