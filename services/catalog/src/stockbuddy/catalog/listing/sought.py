"""What a search is for, and which way to it is the cheaper one."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Sought:
    """`common` are the words that many products have, where there are rarer ones as well; `broad` when a good part of
    all products match."""

    text: str
    common: tuple[str, ...] = ()
    broad: bool = False
