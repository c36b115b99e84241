"""Requests and responses of saved views."""

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, StrictBool, StringConstraints

from stockbuddy.chassis.fields import NO_CONTROL_CHARACTERS, Omittable, RequestBody, text
from stockbuddy.chassis.http.pagination import PageQuery

MAX_NAME_LENGTH = 80
MAX_PATH_LENGTH = 100
MAX_QUERY_LENGTH = 2000

ViewName = Annotated[str, text(MAX_NAME_LENGTH)]
ListPath = Annotated[str, StringConstraints(pattern=r"^(/[a-z0-9][a-z0-9-]*)+$", max_length=MAX_PATH_LENGTH)]
ListQuery = Annotated[str, StringConstraints(max_length=MAX_QUERY_LENGTH, pattern=NO_CONTROL_CHARACTERS)]


class ViewFilter(PageQuery):
    path: ListPath | None = None


class ViewCreate(RequestBody):
    """Names are unique among one's own views of a list, without regard to case."""

    path: ListPath
    name: ViewName
    query: ListQuery
    is_shared: StrictBool = False


class ViewUpdate(RequestBody):
    """Omitted fields keep their value."""

    name: Omittable[ViewName]
    query: Omittable[ListQuery]
    is_shared: Omittable[StrictBool]


class ViewResponse(BaseModel):
    """A saved view. `owner`: the username of the user who has saved it."""

    model_config = ConfigDict(from_attributes=True)

    id: int
    path: str
    name: str
    query: str
    is_shared: bool
    owner_id: int
    owner: str
    version: int
    created_at: datetime
    updated_at: datetime
