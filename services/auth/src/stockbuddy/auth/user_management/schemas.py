"""Requests of user management."""

from typing import Annotated

from pydantic import Field, StrictBool

from stockbuddy.auth.fields import FullName, RoleName, WarehouseIds
from stockbuddy.chassis.fields import NO_CONTROL_CHARACTERS, Omittable, RequestBody
from stockbuddy.chassis.http.pagination import PageQuery


class UserFilter(PageQuery):
    """`search`: words in username, e-mail address or full name."""

    search: Annotated[str | None, Field(max_length=200, pattern=NO_CONTROL_CHARACTERS)] = None
    role: RoleName | None = None
    is_active: bool | None = None


class UserUpdate(RequestBody):
    """Omitted fields keep their value; `warehouse_ids` null: all warehouses."""

    role: Omittable[RoleName]
    warehouse_ids: Omittable[WarehouseIds | None]
    is_active: Omittable[StrictBool]
    full_name: Omittable[FullName | None]

    def changes_rights(self) -> bool:
        return bool(self.model_fields_set - {"full_name"})
