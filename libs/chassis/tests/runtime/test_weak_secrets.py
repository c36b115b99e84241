"""Secrets that production rejects, and secrets that it accepts."""

import secrets
import string

import pytest

from stockbuddy.chassis.runtime.weak_secrets import describe_weakness


@pytest.mark.parametrize(
    "value",
    [
        *("a" * 32, "ab" * 16, "abc12345" * 4, string.ascii_lowercase + "012345", "0123456789" * 4),
        *("development-key-that-protects-nothing", "change-me-before-you-use-this-in-production", "minioadmin"),
        *("amqp://guest:guest@rabbitmq/", "postgresql://postgres:postgres@db/x", "postgresql://shop:shop@db/x"),
        *("postgresql://shop:Password@db/x", "redis://:changeme@cache/0", "amqp://stock:development-x@rabbitmq/"),
    ],
)
def test_weak_secret_is_described_without_revealing_it(value: str) -> None:
    weakness = describe_weakness(value, is_secret=True)
    assert weakness
    assert value not in weakness


@pytest.mark.parametrize(
    "value",
    [
        *("postgresql://postgres@127.0.0.1/postgres", "redis://cache:6379/0", "amqp://stock:Ak3-kd9_sX@rabbitmq/"),
        *("a-key-of-an-operator-who-reads-manuals", "postgresql:///x?host=[", "smtp://[broken"),
        pytest.param(secrets.token_hex(16), id="random hexadecimal digits"),
        pytest.param(secrets.token_urlsafe(32), id="random characters"),
    ],
)
def test_strong_secret_is_accepted(value: str) -> None:
    assert describe_weakness(value, is_secret=True) is None


def test_value_that_is_no_secret_is_accepted() -> None:
    assert describe_weakness("info", is_secret=False) is None
