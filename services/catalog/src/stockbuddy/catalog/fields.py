"""Which text is taken from clients: trimmed, bounded, and free of characters that no database or label can hold."""

import unicodedata
from typing import Annotated, Any, Literal

from fastapi import Path
from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints

LARGEST_ID = 2**63 - 1

Id = Annotated[int, Path(ge=1, le=LARGEST_ID)]
"""An id in a path."""


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


def _no_truth(value: object) -> object:
    """Python takes true for 1."""
    if value is True or value is False:
        raise ValueError("is not a number")
    return value


def none_if_blank(value: object) -> object:
    """For validators: an empty field of a form says that there is nothing."""
    return None if isinstance(value, str) and not value.strip() else value


Reference = Annotated[int, BeforeValidator(_no_truth), Field(ge=1, le=LARGEST_ID)]
"""An id in a body or a query."""
Days = Annotated[int, BeforeValidator(_no_truth), Field(ge=0, le=3650)]

MOST_SEARCHED_CHARACTERS = 200

Words = Annotated[str, StringConstraints(max_length=MOST_SEARCHED_CHARACTERS), AfterValidator(_without_nul)]
"""What is sought. PostgreSQL knows no NUL."""

Line = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=255), AfterValidator(_one_line)]
ShortLine = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100), AfterValidator(_one_line)
]
Prose = Annotated[str, StringConstraints(strip_whitespace=True, max_length=20_000), AfterValidator(_prose)]


def may_be_blank(kind: Any) -> BeforeValidator:
    """For a field of a form that may be left empty; the API document says so too."""
    return BeforeValidator(none_if_blank, json_schema_input_type=kind | Literal[""] | None)


ShortLineOrBlank = Annotated[ShortLine | None, may_be_blank(ShortLine)]
ProseOrBlank = Annotated[Prose | None, may_be_blank(Prose)]
Code = Annotated[ShortLine, AfterValidator(_unspaced)]
"""A barcode as a scanner reads it."""
