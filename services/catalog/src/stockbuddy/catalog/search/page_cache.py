"""Pages of products, each returned again until a product changes (ADR 27).

The change counters are read from the database for every request, once for all that wait. If only stock has changed, the
quantities of the page's products are read again and the rest of the page is kept.
"""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import orjson

MAX_CACHED_BYTES = 16 * 1024 * 1024


class ChangeCounters(NamedTuple):
    """The number of products, and two numbers that grow with every committed change of products and of stock."""

    products: int
    product_changes: int
    stock_changes: int


@dataclass(frozen=True, slots=True)
class ProductPage:
    """`documents` and `quantities`: the two parts of each product's JSON, without braces; `frame`: the other fields of
    the page. `counters` are never newer than the content."""

    counters: ChangeCounters
    product_ids: Sequence[int]
    documents: Sequence[str]
    quantities: Sequence[str]
    frame: dict[str, Any]

    def to_json(self) -> bytes:
        items = [orjson.Fragment(f"{{{a}{b}}}") for a, b in zip(self.documents, self.quantities, strict=True)]
        return orjson.dumps({"items": items, **self.frame})

    @property
    def size(self) -> int:
        """Characters of the items, as an estimate of the bytes in memory."""
        return sum(map(len, self.documents)) + sum(map(len, self.quantities))


class PageCache:
    """Keeps pages of at most MAX_CACHED_BYTES together, and removes the least recently used first."""

    def __init__(self) -> None:
        self._pages: OrderedDict[str, ProductPage] = OrderedDict()
        self._bytes = 0

    def get(self, query: str) -> ProductPage | None:
        page = self._pages.get(query)
        if page is not None:
            self._pages.move_to_end(query)
        return page

    def put(self, query: str, page: ProductPage) -> None:
        former = self._pages.pop(query, None)
        self._bytes += page.size - (former.size if former is not None else 0)
        self._pages[query] = page
        while self._bytes > MAX_CACHED_BYTES:
            self._bytes -= self._pages.popitem(last=False)[1].size
