"""The parsed `search` parameter."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SearchTerms:
    """`text` is the parameter; the rest are hints for the cheapest plan, which never change the result.

    `common`: its words that many products have, if it also has rarer ones. `is_broad`: a large share of all products
    matches. `is_broad_in_names`: a large share has the whole word in its name.
    """

    text: str
    common: tuple[str, ...] = ()
    is_broad: bool = False
    is_broad_in_names: bool = False
