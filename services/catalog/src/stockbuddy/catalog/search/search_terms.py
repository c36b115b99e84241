"""What a search is for, and which way to it is the cheaper one."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Sought:
    """`common` are the words that many products have, where there are rarer ones as well; `broad` when a good part of
    all products match, `broad_in_names` when a good part has the whole word in their names."""

    text: str
    common: tuple[str, ...] = ()
    broad: bool = False
    broad_in_names: bool = False
