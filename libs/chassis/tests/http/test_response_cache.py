"""What a cached endpoint may take, what identifies its response, and what the cache keeps in memory."""

import pytest
from fastapi import Request, Response

from stockbuddy.chassis.http.authentication import Caller, CallerPermissions
from stockbuddy.chassis.http.response_cache.cached import cached
from stockbuddy.chassis.http.response_cache.entry import Entry, decode
from stockbuddy.chassis.http.response_cache.stores import MAX_CACHED_BYTES, MemoryStore
from stockbuddy.chassis.http.sessions import ReadSession
from stockbuddy.chassis.postgres.data_version import DataVersion

ENTRY = Entry(DataVersion("source", "1:1:"), 1.0, "text/csv", {"content-disposition": "attachment"}, b"a\nb\0")


async def with_caller(session: ReadSession, caller: Caller) -> Response:
    raise NotImplementedError


async def with_request(session: ReadSession, request: Request) -> Response:
    raise NotImplementedError


@pytest.mark.parametrize("endpoint", [with_caller, with_request])
def test_endpoint_that_could_depend_on_who_calls_is_refused(endpoint: object) -> None:
    with pytest.raises(TypeError, match="must not depend on"):
        cached()(endpoint)  # type: ignore[arg-type]


def test_endpoint_may_depend_on_permissions() -> None:
    @cached()
    async def endpoint(session: ReadSession, permissions: CallerPermissions, page: int = 1) -> Response:
        raise NotImplementedError

    assert endpoint.__name__ == "endpoint"


def test_entry_is_that_of_its_key_only() -> None:
    encoded = ENTRY.encode("key")
    assert decode("key", encoded) == ENTRY
    assert decode("other", encoded) is None
    assert [decode("key", encoded[:length]) for length in range(len(encoded))] == [None] * len(encoded)


async def test_memory_is_bounded_and_loses_what_was_used_least_recently() -> None:
    store, quarter = MemoryStore(), bytes(MAX_CACHED_BYTES // 4)
    for key in "abcd":
        await store.put(key, quarter)
    assert await store.get("a") is not None
    await store.put("b", quarter)
    await store.put("e", quarter)
    assert [await store.get(key) is not None for key in "abcde"] == [True, True, False, True, True]
