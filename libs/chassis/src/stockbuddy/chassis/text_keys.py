"""The keys by which texts are compared: what people read as equal is equal (docs/adr/0018-text-keys.md).

Both are SQL functions, independent of the locale of the database; migrations create them from here. Indexes store what
they return, so a change to them needs a migration that rebuilds the indexes. `case_key` also exists in Python.
"""

import unicodedata

_MARKS = (
    r"\u00ad\u0300-\u036f\u0483-\u0487\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u0610-\u061a\u0640\u064b-\u065f"
    r"\u0670\u06d6-\u06dc\u06df-\u06e4\u06e7\u06e8\u06ea-\u06ed\u0e47-\u0e4e\u200b-\u200f\u2060\ufe00-\ufe0f\ufeff"
)
_CASED = ((0xC0, 0x250), (0x391, 0x3AA), (0x400, 0x530), (0x531, 0x557), (0x1C90, 0x1CC0), (0x1E9E, 0x1E9F))
"""Latin, Greek, Cyrillic, Armenian and Georgian letters; those with a decomposition are decomposed first."""
_UPPER = "".join(
    letter
    for start, end in _CASED
    for letter in map(chr, range(start, end))
    if unicodedata.normalize("NFKD", letter) == letter and len(letter.lower()) == 1 and letter.lower() != letter
)
# Letters without a decomposition; then final sigma, and forms of Arabic letters.
_LETTERS = "ØŁĐÐĦŦıøłđðħŧ\u03c2\u0671\u0649\u0629\u06a9\u06cc"
_BASE_LETTERS = "olddhtiolddht\u03c3\u0627\u064a\u0647\u0643\u064a"
_ASCII_UPPER = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
# Dotless i and final sigma are the lower case of letters whose usual lower case is another one.
_CASE_VARIANTS = _ASCII_UPPER + _UPPER + "\u0131\u03c2"
_CASE_BASES = _ASCII_UPPER.lower() + _UPPER.lower() + "i\u03c3"
_CASE_TABLE = str.maketrans(_CASE_VARIANTS, _CASE_BASES)
_DOTTED_I = "i\u0307"
"""What remains of İ, the upper case of i in Turkish."""

# Only built-in functions: PostgreSQL maintains indexes with a search path that has no other schema.
CREATE_TEXT_KEY = rf"""
    CREATE FUNCTION text_key(given text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
        SELECT CASE WHEN octet_length(given) = length(given) THEN lower(given) ELSE
            normalize(regexp_replace(
                replace(replace(replace(replace(
                    translate(lower(normalize(given, NFKD)),
                        '{_LETTERS}{_UPPER}', '{_BASE_LETTERS}{_UPPER.lower()}'),
                    'ß', 'ss'), 'æ', 'ae'), 'œ', 'oe'), 'þ', 'th'),
                '[{_MARKS}]', '', 'g'), NFC)
        END
    $$
"""
"""For searching and sorting: case, accents, ligatures, Arabic letter forms and invisible characters do not count."""

CREATE_CASE_KEY = f"""
    CREATE FUNCTION case_key(given text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
        SELECT replace(normalize(translate(normalize(given, NFD), '{_CASE_VARIANTS}', '{_CASE_BASES}'), NFC),
            '{_DOTTED_I}', 'i')
    $$
"""
"""For names that must be unique: only case and the normal form do not count."""


def case_key(given: str) -> str:
    """What the SQL function `case_key` returns: equal for texts that differ in case only."""
    folded = unicodedata.normalize("NFD", given).translate(_CASE_TABLE)
    return unicodedata.normalize("NFC", folded).replace(_DOTTED_I, "i")
