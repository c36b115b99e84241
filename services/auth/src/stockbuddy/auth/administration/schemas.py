"""How admins change users."""

from typing import Any

from pydantic import BaseModel, ConfigDict, field_validator
from pydantic.json_schema import SkipJsonSchema

from stockbuddy.auth.fields import FullName, WarehouseIds
from stockbuddy.chassis.identity import Role


class ChangeUser(BaseModel):
    """What is left out stays as it is; `warehouse_ids` null means all."""

    model_config = ConfigDict(extra="forbid")

    role: Role | SkipJsonSchema[None] = None
    warehouse_ids: WarehouseIds | None = None
    is_active: bool | SkipJsonSchema[None] = None
    full_name: FullName | None = None

    @field_validator("role", "is_active", mode="before")
    @classmethod
    def refuse_null(cls, value: Any) -> Any:
        if value is None:
            raise ValueError("may be left out, but not be null")
        return value

    @field_validator("warehouse_ids")
    @classmethod
    def sort(cls, value: list[int] | None) -> list[int] | None:
        return None if value is None else sorted(set(value))
