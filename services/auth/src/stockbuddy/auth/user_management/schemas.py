"""How admins change users."""

from pydantic import BaseModel, ConfigDict, Field, StrictBool, field_validator

from stockbuddy.auth.fields import FullName, WarehouseIds, left_out
from stockbuddy.chassis.http.tokens import Role


class ChangeUser(BaseModel):
    """What is left out stays as it is; `warehouse_ids` null means all."""

    model_config = ConfigDict(extra="forbid")

    role: Role = Field(default_factory=left_out)
    warehouse_ids: WarehouseIds | None = None
    is_active: StrictBool = Field(default_factory=left_out)
    full_name: FullName | None = None

    @field_validator("warehouse_ids")
    @classmethod
    def sort(cls, value: list[int] | None) -> list[int] | None:
        return None if value is None else sorted(set(value))
