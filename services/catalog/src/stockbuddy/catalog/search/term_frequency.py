"""Frequencies of words, from PostgreSQL's statistics of the searched column. They only select the cheaper of two plans
for the same result: an index over rare words, or a scan of the newest products when nearly all match."""

import re
import time
import unicodedata
from bisect import bisect_left
from itertools import accumulate

from stockbuddy.catalog.read_pool import ReadPool
from stockbuddy.catalog.search.search_terms import SearchTerms

REFRESH_INTERVAL_SECONDS = 300
MIN_BROAD_SHARE = 0.03
"""From this share of matching products, scanning the newest finds the first hundred matches sooner than an index."""

# '=word' is a whole word of a name; categories, such as '#7', are excluded.
_COMMON_WORDS = """
    SELECT word, share
    FROM pg_stats, unnest(most_common_elems::text::text[], most_common_elem_freqs) common(word, share)
    WHERE schemaname = current_schema() AND tablename = 'product_card' AND attname = 'search'
        AND word IS NOT NULL AND word ~ '^=?[[:alnum:]]'
"""
_WORD = re.compile(r"[^\W_]+")
_LAST_CHARACTER = "\U0010ffff"


class TermFrequency:
    """The shares of products that contain the most common words, refreshed every few minutes."""

    def __init__(self, read_pool: ReadPool) -> None:
        self._read_pool = read_pool
        self._words: list[str] = []
        self._cumulative_shares: list[float] = [0.0]
        self._name_shares: dict[str, float] = {}
        self._refresh_at = 0.0

    async def analyze(self, search: str) -> SearchTerms:
        if time.monotonic() > self._refresh_at:
            await self._refresh()
        words = set(_WORD.findall(unicodedata.normalize("NFKD", search).lower()))
        shares = {word: self._max_share(word) for word in words}
        common = tuple(sorted(word for word, share in shares.items() if share > 0))
        is_broad = len(words) == 1 and sum(shares.values()) >= MIN_BROAD_SHARE
        in_names = is_broad and all(self._name_shares.get(word, 0.0) >= MIN_BROAD_SHARE for word in words)
        return SearchTerms(search, common if len(common) < len(words) else (), is_broad, in_names)

    def _max_share(self, prefix: str) -> float:
        """Upper bound of the share of products with a word that begins with `prefix`; 0 if none is common."""
        start = bisect_left(self._words, prefix)
        end = bisect_left(self._words, prefix + _LAST_CHARACTER)
        return self._cumulative_shares[end] - self._cumulative_shares[start]

    async def _refresh(self) -> None:
        # Set first, so that concurrent requests do not all query the statistics.
        self._refresh_at = time.monotonic() + REFRESH_INTERVAL_SECONDS
        rows = sorted((row[0], row[1]) for row in await self._read_pool.fetch(_COMMON_WORDS))
        self._name_shares = {word[1:]: share for word, share in rows if word.startswith("=")}
        self._words = [word for word, _ in rows]
        self._cumulative_shares = [0.0, *accumulate(share for _, share in rows)]
