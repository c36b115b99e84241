"""Events of saved views, the filters, sorting and columns of a list that users keep."""

from typing import Any, ClassVar

from stockbuddy.contracts.event import Event
from stockbuddy.contracts.personal_data import PersonalFields


class ViewState(Event):
    """A saved view after the change; `version` increases by one with each change. Its name and query may name people,
    and belong to its owner's personal data."""

    subject_template: ClassVar[str] = "view/{view_id}"
    sequence_field: ClassVar[str | None] = "version"
    personal = (PersonalFields("user/{owner_id}", ("name", "query")),)

    view_id: int
    version: int
    owner_id: int
    path: str
    name: str
    query: str
    is_shared: bool


class ViewCreated(ViewState):
    type: ClassVar[str] = "auth.view.created"


class ViewUpdated(ViewState):
    type: ClassVar[str] = "auth.view.updated"

    changes: dict[str, Any] = {}


class ViewDeleted(ViewState):
    type: ClassVar[str] = "auth.view.deleted"
