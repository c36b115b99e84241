"""Which text is taken from clients: trimmed, bounded, and free of characters that no database or label can hold."""

import unicodedata
from typing import Annotated

from fastapi import Path
from pydantic import AfterValidator, Field, StringConstraints

LARGEST_ID = 2**63 - 1

Id = Annotated[int, Path(ge=1, le=LARGEST_ID)]
"""An id in a path."""
Reference = Annotated[int, Field(ge=1, le=LARGEST_ID)]
"""An id in a body or a query."""


def _one_line(text: str) -> str:
    if any(unicodedata.category(character) in ("Cc", "Cs") for character in text):
        raise ValueError("holds control characters")
    return text


def _prose(text: str) -> str:
    if any(unicodedata.category(character) in ("Cc", "Cs") and character not in "\n\r\t" for character in text):
        raise ValueError("holds control characters")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _unspaced(text: str) -> str:
    if any(character.isspace() for character in text):
        raise ValueError("holds spaces")
    return text


def _without_nul(text: str) -> str:
    return text.replace("\0", " ")


MOST_SEARCHED_CHARACTERS = 200

Words = Annotated[str, StringConstraints(max_length=MOST_SEARCHED_CHARACTERS), AfterValidator(_without_nul)]
"""What is sought. PostgreSQL knows no NUL."""

Line = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=255), AfterValidator(_one_line)]
ShortLine = Annotated[Line, StringConstraints(max_length=100)]
Prose = Annotated[str, StringConstraints(strip_whitespace=True, max_length=20_000), AfterValidator(_prose)]
Code = Annotated[ShortLine, AfterValidator(_unspaced)]
"""A barcode as a scanner reads it."""
