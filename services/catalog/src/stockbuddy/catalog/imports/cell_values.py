"""The value of a cell in the notation of our own export: decimal points, `true` and `false`, one category."""

import re

from stockbuddy.catalog.imports.number_format import NUMBER_COLUMNS, NumberFormat
from stockbuddy.catalog.imports.shop_systems import STOCKBUDDY, ShopSystem

_BOOLEANS = {
    # Spreadsheets translate true and false; shop systems have states.
    **dict.fromkeys(("wahr", "vrai", "verdadero", "verdadeiro", "vero", "waar", "prawda", "active"), "true"),
    **dict.fromkeys(("falsch", "faux", "falso", "onwaar", "fałsz", "draft", "archived"), "false"),
}
_ROUNDED_CODE = re.compile(r"[0-9]+(?:[.,][0-9]+)?[eE]\+[0-9]+")
_DECIMAL_CODE = re.compile(r"([0-9]+)\.0+")
_CODE_SEPARATORS = re.compile(r"[\s,;|]+")


def normalize_cell(field: str, text: str, numbers: NumberFormat, system: ShopSystem) -> str:
    """Raises ValueError with a message for the user."""
    if field in NUMBER_COLUMNS:
        return numbers.normalize(field, text)
    if field == "is_active":
        return _BOOLEANS.get(text.casefold(), text)
    if field == "sku":
        return _require_exact(text)
    if field == "barcodes":
        codes = text.split() if system is STOCKBUDDY else [code for code in _CODE_SEPARATORS.split(text) if code]
        return " ".join(_require_exact(_DECIMAL_CODE.sub(r"\1", code)) for code in codes)
    return _most_specific(text) if field == "category" and system.has_category_paths else text


def _require_exact(code: str) -> str:
    if _ROUNDED_CODE.fullmatch(code):
        raise ValueError(
            f"{code} is a code that a spreadsheet has rounded; give its column the format text before entering codes, "
            "or export the file again and import it without opening it in a spreadsheet"
        )
    return code


def _most_specific(paths: str) -> str:
    """Of `Clothing, Clothing > Shirts` the category Shirts; of several at the same depth the last."""
    names: list[str] = []
    for path in paths.split(","):
        parts = [part.strip() for part in re.split(r">| / ", path) if part.strip()]
        names = parts if len(parts) >= len(names) and parts else names
    return names[-1] if names else ""
