"""How common words are, from the statistics that PostgreSQL keeps of the searched column. Only a hint for choosing the
cheaper way to the same result: by an index over rare words, or through the newest products when nearly all match."""

import re
import time
import unicodedata
from bisect import bisect_left
from itertools import accumulate

from stockbuddy.catalog.listing import queries
from stockbuddy.catalog.listing.sought import Sought
from stockbuddy.catalog.readers import Readers

REFRESH_SECONDS = 300
BROAD_SHARE = 0.03
"""From here on, the first hundred matches are found sooner by looking at the newest products than by an index."""

_WORD = re.compile(r"[^\W_]+")


class Commonness:
    """The shares of products that have the most common words; asked for anew every few minutes."""

    def __init__(self) -> None:
        self._words: list[str] = []
        self._sums: list[float] = [0.0]
        self._named: dict[str, float] = {}
        self._known_until = 0.0

    async def sought(self, readers: Readers, search: str) -> Sought:
        if time.monotonic() > self._known_until:
            await self._refresh(readers)
        words = set(_WORD.findall(unicodedata.normalize("NFKD", search).lower()))
        shares = {word: self._share(word) for word in words}
        common = tuple(sorted(word for word, share in shares.items() if share > 0))
        broad = len(words) == 1 and sum(shares.values()) >= BROAD_SHARE
        in_names = broad and all(self._named.get(word, 0.0) >= BROAD_SHARE for word in words)
        return Sought(search, common if len(common) < len(words) else (), broad, in_names)

    def _share(self, word: str) -> float:
        """Of products with a word that begins like this, at most; 0 when it is not among the common ones."""
        first = bisect_left(self._words, word)
        behind = bisect_left(self._words, word + "\U0010ffff")
        return self._sums[behind] - self._sums[first]

    async def _refresh(self, readers: Readers) -> None:
        self._known_until = time.monotonic() + REFRESH_SECONDS
        known = sorted((row[0], row[1]) for row in await readers.fetch(queries.COMMON_WORDS))
        self._named = {word[1:]: share for word, share in known if word.startswith("=")}
        self._words = [word for word, _ in known]
        self._sums = [0.0, *accumulate(share for _, share in known)]
