"""Text fields of requests and import files: trimmed, bounded, in Unicode's normal form, without characters that labels
or PostgreSQL reject."""

import unicodedata
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, StringConstraints

from stockbuddy.chassis.fields import NORMALIZED_LINE, NORMALIZED_TEXT, InvalidValue

MAX_SEARCH_LENGTH = 200
MAX_MULTI_LINE_LENGTH = 20_000

NameOrCreatedSort = Literal["name_asc", "name_desc", "created_asc", "created_desc"]


def _is_control_character(character: str) -> bool:
    """Control characters (Cc), lone surrogates (Cs), which UTF-8 can't encode, and noncharacters, which XML can't."""
    return unicodedata.category(character) in ("Cc", "Cs") or is_noncharacter(character)


def is_noncharacter(character: str) -> bool:
    """The 66 code points that Unicode reserves for internal use, such as U+FFFF."""
    code_point = ord(character)
    return code_point & 0xFFFE == 0xFFFE or 0xFDD0 <= code_point <= 0xFDEF


def _single_line(text: str) -> str:
    if any(map(_is_control_character, text)):
        raise InvalidValue("control_characters", "contains control characters or noncharacters")
    return text


def _multi_line(text: str) -> str:
    if any(_is_control_character(character) and character not in "\n\r\t" for character in text):
        raise InvalidValue("control_characters", "contains control characters or noncharacters")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _without_white_space(text: str) -> str:
    if any(character.isspace() for character in text):
        raise InvalidValue("white_space", "contains white space")
    return text


def _nul_to_space(text: str) -> str:
    return text.replace("\0", " ")


def blank_to_none(value: object) -> object:
    """For validators: an empty field of a form means no value."""
    return None if isinstance(value, str) and not value.strip() else value


def blank_allowed(field_type: Any) -> BeforeValidator:
    """For a nullable field that a form may send empty; OpenAPI documents the empty string, too."""
    return BeforeValidator(blank_to_none, json_schema_input_type=field_type | Literal[""] | None)


SearchText = Annotated[
    str, StringConstraints(max_length=MAX_SEARCH_LENGTH), AfterValidator(_nul_to_space), NORMALIZED_TEXT
]
"""A search or filter text. PostgreSQL's text can't contain NUL, so nothing would match it."""
SingleLine255 = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=255),
    AfterValidator(_single_line),
    NORMALIZED_LINE,
]
SingleLine100 = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=100),
    AfterValidator(_single_line),
    NORMALIZED_LINE,
]
MultiLineText = Annotated[
    str,
    StringConstraints(strip_whitespace=True, max_length=MAX_MULTI_LINE_LENGTH),
    AfterValidator(_multi_line),
    NORMALIZED_TEXT,
]
SingleLine255OrBlank = Annotated[SingleLine255 | None, blank_allowed(SingleLine255)]
SingleLine100OrBlank = Annotated[SingleLine100 | None, blank_allowed(SingleLine100)]
MultiLineTextOrBlank = Annotated[MultiLineText | None, blank_allowed(MultiLineText)]
Barcode = Annotated[SingleLine100, AfterValidator(_without_white_space)]
"""A barcode as a scanner reads it."""
