"""Text cells of CSV and XLSX files, escaped so that no spreadsheet runs a text as a formula (OWASP, "CSV Injection").

A text that begins like a formula is written behind an apostrophe; reading removes it, so a round trip changes nothing.
Reading also removes one before a digit, with which people keep a spreadsheet from reading a code as a number.
"""

import re

_FORMULA_PREFIXES = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")  # noqa: RUF001 - Excel accepts them, too
_ESCAPE = "'"


_AFTER_SEPARATOR = rf'(?="*[{re.escape("".join(_FORMULA_PREFIXES) + _ESCAPE)}])'
_FORMULA_INSIDE = re.compile(rf"([;\t\r\n]){_AFTER_SEPARATOR}")
_ESCAPED_INSIDE = re.compile(rf"(?<=[;\t\r\n]){_ESCAPE}{_AFTER_SEPARATOR}")

_MARKED_NUMBER = re.compile(r"'[0-9]")


def escape_formula(text: str) -> str:
    return _ESCAPE + text if text.startswith((*_FORMULA_PREFIXES, _ESCAPE)) else text


def escape_csv_text(text: str) -> str:
    """`escape_formula` for CSV with commas. In many locales a spreadsheet splits such a file at semicolons instead, and
    takes quotation marks within its cells for text: then what follows a semicolon, tab or line break begins a cell."""
    return escape_formula(_FORMULA_INSIDE.sub(rf"\1{_ESCAPE}", text))


def unescape_csv_text(text: str) -> str:
    """The argument of `escape_csv_text`, as `escape_formula` would have written it."""
    return _ESCAPED_INSIDE.sub("", text)


def unescape_formula(text: str) -> str:
    is_escaped = text.startswith(_ESCAPE) and text[1:].startswith((*_FORMULA_PREFIXES, _ESCAPE))
    return text[1:] if is_escaped or _MARKED_NUMBER.match(text) else text
