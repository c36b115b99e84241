"""Field types of request bodies, queries and paths, one constant per limit; error messages name the limit."""

import re
import unicodedata
from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Annotated, Any, TypeVar

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainValidator,
    StringConstraints,
    TypeAdapter,
    ValidationError,
    WithJsonSchema,
)

from stockbuddy.contracts.numbers import NUMBER_LIMITS

T = TypeVar("T")

MAX_ID = 2**63 - 1
"""PostgreSQL's bigint."""
MIN_YEAR = 1970
MAX_YEAR = 9000
"""Leaves room for time zone arithmetic below Python's last year."""
NO_NUL = r"^[^\x00]*$"
"""PostgreSQL's text holds every character but NUL."""
EXPORTABLE = r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\uFFFE\uFFFF]*$"
"""The characters of XML 1.0, so that every stored text fits into a spreadsheet."""
NO_CONTROL_CHARACTERS = r"^[^\x00-\x1f\x7f]*$"


class InvalidValue(ValueError):
    """What validators of fields raise so that clients recognise the reason by `code`, and find what `message` names,
    such as a limit, in `values`."""

    def __init__(self, code: str, message: str, **values: object) -> None:
        super().__init__(message)
        self.code = code
        self.values = values


class RequestBody(BaseModel):
    """A request body: an unknown field is an error, because a misspelt field must not be ignored."""

    model_config = ConfigDict(extra="forbid")

    def sent_fields(self) -> dict[str, Any]:
        """The fields that the client sent, null included: what a PATCH changes."""
        return {name: getattr(self, name) for name in self.model_fields_set}


def _omitted() -> Any:
    return None


Omittable = Annotated[T, Field(default_factory=_omitted)]
"""A field of a PATCH that may be absent but not null (`Omittable[T | None]`: null is a value). OpenAPI documents it as
not required and without a default. Read it through `RequestBody.sent_fields`."""


def _reject_boolean(value: Any) -> Any:
    """`bool` is a subclass of `int`: without this check `true` is the id 1."""
    if isinstance(value, bool):
        raise ValueError("is true or false, not a number")  # noqa: TRY004 - Pydantic reports ValueErrors only
    return value


def _reject_number(value: Any) -> Any:
    """Pydantic reads a number as seconds since 1970, so `2010` would be a moment in 1970."""
    if isinstance(value, str | int | float) and _is_number(value):
        raise ValueError("is a number; write a date as in RFC 3339")
    return value


def _is_number(value: str | float) -> bool:
    try:
        float(value)
    except ValueError:
        return False
    return True


def to_utc(moment: datetime) -> datetime:
    """Raises ValueError outside the years MIN_YEAR to MAX_YEAR."""
    if not MIN_YEAR <= moment.year <= MAX_YEAR:
        raise InvalidValue(
            "year_out_of_range", f"year must be between {MIN_YEAR} and {MAX_YEAR}", min=MIN_YEAR, max=MAX_YEAR
        )
    return moment.astimezone(UTC)


NOT_BOOLEAN = BeforeValidator(_reject_boolean)
RFC_3339 = BeforeValidator(_reject_number)
"""For fields of type `date` or `datetime`."""

Integer = Annotated[int, NOT_BOOLEAN, NUMBER_LIMITS]
"""Without `true`, and without what only Python accepts, such as `12_50`."""
Id = Annotated[Integer, Field(ge=1, le=MAX_ID)]
UtcTime = Annotated[AwareDatetime, RFC_3339, AfterValidator(to_utc)]
"""A moment in RFC 3339 with an offset, converted to UTC."""


def _check_day(day: date) -> date:
    if not MIN_YEAR <= day.year <= MAX_YEAR:
        raise InvalidValue(
            "year_out_of_range", f"year must be between {MIN_YEAR} and {MAX_YEAR}", min=MIN_YEAR, max=MAX_YEAR
        )
    return day


Day = Annotated[date, RFC_3339, AfterValidator(_check_day)]

_DAY_LENGTH = len("2026-03-01")
_DAY: TypeAdapter[date] = TypeAdapter(Day)
_TIME: TypeAdapter[datetime] = TypeAdapter(UtcTime)


def _parse_day_or_time(value: Any) -> date | datetime:
    is_day = isinstance(value, str) and len(value) == _DAY_LENGTH
    try:
        return _DAY.validate_python(value) if is_day else _TIME.validate_python(value)
    except ValidationError as error:
        raise ValueError("is neither a date (2026-03-01) nor a time with an offset (2026-03-01T08:00:00Z)") from error


DayOrTime = Annotated[
    date | datetime,
    PlainValidator(_parse_day_or_time),
    WithJsonSchema({"anyOf": [{"type": "string", "format": "date"}, {"type": "string", "format": "date-time"}]}),
]
"""A `datetime` in UTC, or a `date` whose beginning depends on a time zone that the service knows."""


# Format characters, fillers and separators without a glyph. Joiners and variation selectors are listed separately,
# because Persian, Indic scripts and emoji need them.
_INVISIBLE = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\u3164\ufeff"
    "\uffa0\ufff9-\ufffb\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
    # Next to ASCII, a joiner or a variation selector changes nothing that is visible, except in a keycap such as 1️⃣.
    "|(?:^|(?<=[\0-\x7f]))[\u200c\u200d]|[\u200c\u200d](?=[\0-\x7f]|$)|(?:^|(?<=[\0-\x7f]))[\ufe00-\ufe0f](?!\u20e3)"
)
_SPACES = re.compile("[\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]")


def normalize_text(value: Any) -> Any:
    """A text in Unicode's normal form NFC, so that equal characters have equal codes; other values as they are."""
    return unicodedata.normalize("NFC", value) if isinstance(value, str) and not value.isascii() else value


def normalize_line(value: Any) -> Any:
    """`normalize_text`, with every kind of space as an ordinary one. Raises ValueError for invisible characters: two
    texts that people read as equal must not differ."""
    if not isinstance(value, str) or value.isascii():
        return value
    if match := _INVISIBLE.search(value):
        raise InvalidValue(
            "invisible_characters",
            f"contains the invisible character U+{ord(match[0]):04X}",
        )
    return _SPACES.sub(" ", unicodedata.normalize("NFC", value))


# Placed after the other constraints, so that they run before them: the normal form of a text may be longer.
NORMALIZED_TEXT = BeforeValidator(normalize_text)
NORMALIZED_LINE = BeforeValidator(normalize_line)


class _TextConstraints(StringConstraints):
    def __iter__(self) -> Iterator[Any]:
        yield from super().__iter__()
        yield NORMALIZED_LINE if self.min_length else NORMALIZED_TEXT


def text(max_length: int, *, min_length: int = 1) -> Any:
    """Constraints of a text field: surrounding white space is removed and the text normalised. One that may be empty,
    such as a note or a search, may contain invisible characters. Use as `Annotated[str, text(100)]`."""
    return _TextConstraints(strip_whitespace=True, min_length=min_length, max_length=max_length, pattern=EXPORTABLE)
