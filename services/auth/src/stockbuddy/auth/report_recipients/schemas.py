"""Requests and responses of the recipients of reports."""

from typing import Annotated

from pydantic import BaseModel, Field

from stockbuddy.chassis.access.permissions import Permission
from stockbuddy.chassis.fields import NO_CONTROL_CHARACTERS, Id
from stockbuddy.chassis.http.pagination import PageQuery

MAX_IDS = 100


class ReportRecipientFilter(PageQuery):
    """`search`: words in username or full name. `ids`: only these users."""

    search: Annotated[str | None, Field(max_length=200, pattern=NO_CONTROL_CHARACTERS)] = None
    ids: Annotated[list[Id] | None, Field(max_length=MAX_IDS)] = None


class ReportRecipientResponse(BaseModel):
    """A user who may read reports: only what their choice as a recipient needs."""

    id: int
    name: str = Field(description="The full name, or the username of a user without one.")
    missing_permissions: list[Permission] = Field(
        description="What the caller's reports show and the user may not see: with any of them, the user is not"
        " notified of a result of the caller's schedules, and cannot read it."
    )
