"""What paths, queries and bodies are made of: whatever PostgreSQL can hold, and nothing that it can't."""

from datetime import UTC, datetime
from typing import Annotated

from fastapi import Path
from pydantic import AfterValidator, Field, StringConstraints

from stockbuddy.chassis import fields

LARGEST_ID = 2**63 - 1
# PostgreSQL's text can hold every character but NUL.
TEXT = r"^[^\x00]*$"


def _in_utc(moment: datetime) -> datetime:
    if not 1970 <= moment.year <= 9000:
        raise ValueError("is not a date of this epoch")
    return moment.astimezone(UTC)


Id = Annotated[int, Field(ge=1, le=LARGEST_ID)]
PathId = Annotated[int, Path(ge=1, le=LARGEST_ID)]
Moment = Annotated[fields.Moment, AfterValidator(_in_utc)]
Word = Annotated[str, StringConstraints(max_length=300, pattern=TEXT)]
"""What a list is searched for or narrowed to."""
