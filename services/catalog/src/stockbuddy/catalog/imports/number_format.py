"""Numbers as people and their spreadsheets write them: `12,50`, `1.234,56`, `$5.99`.

Whether a comma is a decimal or a thousands separator is decided by the cell if it can mean one number only, then by the
other cells of its column, then by those of the file. What stays ambiguous is an error.
"""

import re
import unicodedata
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Literal

DecimalSeparator = Literal[".", ","]

MONEY_COLUMNS = frozenset({"unit_price", "cost_price"})
NUMBER_COLUMNS = MONEY_COLUMNS | {"quantity", "low_stock_threshold"}
_GROUP_SEPARATORS = str.maketrans("", "", " '\u00a0\u2009\u2019\u202f")
_CURRENCY_CODE = re.compile(r"^[A-Z]{3}\b|\b[A-Z]{3}$|\b(?:kr|Kč|zł|Ft|lei)\.?$")
_NUMBER = re.compile(r"[+-]?[0-9.,]*[0-9][0-9.,]*")
_GROUPED = re.compile(r"[0-9]{1,3}(?:,[0-9]{2,3})*,[0-9]{3}")


@dataclass(slots=True)
class NumberFormat:
    """The decimal separators seen in each column of a file; `given`: the one that the user has named."""

    given: DecimalSeparator | None = None
    seen: dict[str, set[DecimalSeparator]] = field(default_factory=lambda: defaultdict(set))

    def observe(self, column: str, text: str) -> None:
        if separator := _decimal_separator(_bare_number(column, text)):
            self.seen[column].add(separator)

    def normalize(self, column: str, text: str) -> str:
        """The number with a decimal point; a text that is no number as it is. Raises ValueError if the number is
        ambiguous or not one of the format."""
        number = _bare_number(column, text)
        if _NUMBER.fullmatch(number) is None:
            return text
        separator = self.given or _decimal_separator(number) or self._separator_of(column)
        if separator is None and "," in number:
            raise ValueError(f"{text} is ambiguous; import the file with decimal_separator=. or decimal_separator=,")
        return _with_decimal_point(text, number, separator or ".")

    def _separator_of(self, column: str) -> DecimalSeparator | None:
        """The only one of the column, or else of the file."""
        for seen in (self.seen[column], set().union(*self.seen.values())):
            if seen:
                return next(iter(seen)) if len(seen) == 1 else None
        return None


def _bare_number(column: str, text: str) -> str:
    """`text` without its currency (in columns of money) and without spaces and apostrophes."""
    if column in MONEY_COLUMNS:
        text = "".join(character for character in text if unicodedata.category(character) != "Sc")
        text = _CURRENCY_CODE.sub("", text.strip())
    return text.translate(_GROUP_SEPARATORS)


def _decimal_separator(number: str) -> DecimalSeparator | None:
    """The decimal separator, if the number can be read in one way only: `12,5`, `1.234,56` and `1,234,567`, but not
    `1,234`."""
    digits = number.lstrip("+-")
    if _NUMBER.fullmatch(number) is None:
        return None
    last = max(digits.rfind("."), digits.rfind(","))
    if last < 0:
        return None
    separator: DecimalSeparator = "." if digits[last] == "." else ","
    other: DecimalSeparator = "," if separator == "." else "."
    if other in digits:
        return separator
    if digits.count(separator) > 1:
        return other
    whole, _, fraction = digits.partition(separator)
    is_group = len(fraction) == 3 and 0 < len(whole) <= 3 and not whole.startswith("0")
    return None if is_group else separator


def _with_decimal_point(text: str, number: str, separator: DecimalSeparator) -> str:
    point, group = (".", ",") if separator == "." else (",", ".")
    sign = number[0] if number[0] in "+-" else ""
    whole, _, fraction = number[len(sign) :].partition(point)
    grouped = whole.replace(group, ",")
    if not (fraction.isdigit() or not fraction) or ("," in grouped and _GROUPED.fullmatch(grouped) is None):
        raise ValueError(f"{text} is no number with the decimal separator {separator}")
    fraction = fraction.rstrip("0")
    return sign + (grouped.replace(",", "") or "0") + (f".{fraction}" if fraction else "")
