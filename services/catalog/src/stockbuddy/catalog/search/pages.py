"""Pages of products: JSON items from the database, the next cursor, and an exact total.

The total of all products is a counter. Totals of filters are counted once and cached until a change that could affect
them: of products, or of stock if the filter depends on it. Whole pages are cached likewise: see `page_cache`.
"""

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Protocol

import asyncpg

from stockbuddy.catalog.read_pool import ReadPool
from stockbuddy.catalog.replica_reads import ReplicaConnections
from stockbuddy.catalog.search import statements
from stockbuddy.catalog.search.page_cache import ChangeCounters, PageCache, ProductPage
from stockbuddy.catalog.search.schemas import ProductFilter
from stockbuddy.catalog.search.search_terms import SearchTerms
from stockbuddy.catalog.search.term_frequency import TermFrequency
from stockbuddy.chassis.http.pagination import encode_cursor
from stockbuddy.chassis.runtime.batched_reads import BatchedReads

MAX_CACHED_TOTALS = 10_000
_ALL = "all"
_NOT_FILTERS = {"exact_total", "sort_by", "page", "page_size", "cursor"}

ChangeCounts = tuple[int, int]
"""The change counters of products and of stock when a total was counted."""


class Source(Protocol):
    """The read pool, or one connection to the read replica."""

    async def fetch(self, statement: str, *arguments: Any) -> list[asyncpg.Record]: ...


class TotalCache:
    """Totals by filter, valid as long as the change counters are the same. The least recently counted goes first."""

    def __init__(self) -> None:
        self._totals: OrderedDict[str, tuple[ChangeCounts, int]] = OrderedDict()

    def get(self, filters: str, changes: ChangeCounts) -> int | None:
        cached = self._totals.get(filters)
        return cached[1] if cached is not None and cached[0] == changes else None

    def put(self, filters: str, changes: ChangeCounts, total: int) -> None:
        self._totals[filters] = (changes, total)
        self._totals.move_to_end(filters)
        if len(self._totals) > MAX_CACHED_TOTALS:
            self._totals.popitem(last=False)


class ProductPages:
    """Reads pages of products. One per process, because it caches pages, totals and term frequencies."""

    def __init__(self, read_pool: ReadPool, replica: ReplicaConnections | None) -> None:
        self._read_pool = read_pool
        self._replica = replica
        self._term_frequency = TermFrequency(read_pool)
        self._totals = TotalCache()
        self._pages = PageCache()
        self._counters = BatchedReads(self._read_shared_counters)

    async def fetch(self, query: ProductFilter) -> bytes:
        """The page as JSON. Raises Unprocessable for an invalid cursor."""
        if self._replica is None:
            return await self._fetch(query, self._read_pool)
        async with self._replica.connection() as connection:
            return await self._fetch(query, self._read_pool if connection is None else connection)

    async def _fetch(self, query: ProductFilter, source: Source) -> bytes:
        """What is cached was read from one source, so that it is never older than its counters."""
        key = repr(query.model_dump(exclude_defaults=True))
        cached = self._pages.get(key)
        page = None if cached is None else await self._refresh(query, cached, source)
        if page is None:
            page = await self._read(query, source)
        # The counters of an empty page are read after it, so a change in between would be missed.
        if page is not cached and page.documents:
            self._pages.put(key, page)
        return page.to_json()

    async def _refresh(self, query: ProductFilter, cached: ProductPage, source: Source) -> ProductPage | None:
        """The page with current quantities; the same page if nothing has changed; None if it has to be read again."""
        counters = await self._find_counters(source)
        if cached.counters == counters:
            return cached
        if cached.counters.product_changes != counters.product_changes or query.depends_on_stock:
            return None
        rows = await source.fetch(statements.QUANTITIES, cached.product_ids)
        # Read after the counters: never older than they are.
        return replace(cached, counters=counters, quantities=[row[0] for row in rows])

    async def _read(self, query: ProductFilter, source: Source) -> ProductPage:
        terms = None if query.search is None else await self._term_frequency.analyze(query.search)
        statement = statements.page_statement(query, terms)
        rows = await source.fetch(statement.text, *statement.arguments)
        counters = ChangeCounters(*rows[0][5:]) if rows else await _read_counters(source)
        next_cursor = None
        if len(rows) > query.page_size:
            rows.pop()
            next_cursor = encode_cursor(query.sort, list(rows[-1][3:5]))
        if query.exact_total:
            total = await self._total(query, terms, counters, source)
        else:
            total = (query.page - 1) * query.page_size + len(rows) + (next_cursor is not None)
        return ProductPage(
            counters=counters,
            product_ids=[row[0] for row in rows],
            documents=[row[1] for row in rows],
            quantities=[row[2] for row in rows],
            frame={"page": query.page, "page_size": query.page_size, "total": total, "next_cursor": next_cursor},
        )

    async def _read_shared_counters(self, _: Sequence[str]) -> Mapping[str, ChangeCounters]:
        return {_ALL: await _read_counters(self._read_pool)}

    async def _find_counters(self, source: Source) -> ChangeCounters:
        if source is not self._read_pool:
            return await _read_counters(source)
        counters = await self._counters.find(_ALL)
        assert counters is not None
        return counters

    async def _total(
        self, query: ProductFilter, terms: SearchTerms | None, counters: ChangeCounters, source: Source
    ) -> int:
        chosen = query.model_dump(exclude=_NOT_FILTERS, exclude_defaults=True)
        if not chosen:
            return counters.products
        filters = repr(chosen)
        changes = (counters.product_changes, counters.stock_changes if query.filters_by_stock else 0)
        total = self._totals.get(filters, changes)
        if total is None:
            # Counted after the counters were read, so the total is never older than the state it is cached under.
            statement = statements.count_statement(query, terms)
            total = int((await source.fetch(statement.text, *statement.arguments))[0][0])
            self._totals.put(filters, changes, total)
        return total


async def _read_counters(source: Source) -> ChangeCounters:
    return ChangeCounters(*(await source.fetch(statements.COUNTERS))[0])
