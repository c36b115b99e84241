"""Events of roles that admins define."""

from typing import Any, ClassVar

from stockbuddy.contracts.event import Event
from stockbuddy.contracts.numbers import Percentage


class RoleState(Event):
    """A role after the change; `version` increases by one with each change."""

    subject_template: ClassVar[str] = "role/{name}"
    sequence_field: ClassVar[str | None] = "version"

    name: str
    version: int
    description: str | None = None
    permissions: list[str]
    max_discount_percent: Percentage | None = None
    warehouse_ids: list[int] | None = None


class RoleCreated(RoleState):
    type: ClassVar[str] = "auth.role.created"


class RoleUpdated(RoleState):
    type: ClassVar[str] = "auth.role.updated"

    changes: dict[str, Any] = {}


class RoleDeleted(RoleState):
    type: ClassVar[str] = "auth.role.deleted"
