"""Requests and responses of roles and permissions."""

from datetime import datetime

from pydantic import BaseModel, ConfigDict

from stockbuddy.auth.fields import Note, Permissions, RoleName, WarehouseIds
from stockbuddy.chassis.access.permissions import Permission
from stockbuddy.chassis.fields import Omittable, RequestBody
from stockbuddy.contracts.numbers import Percentage


class RoleCreate(RequestBody):
    """`warehouse_ids` null: all warehouses. `max_discount_percent`: the largest discount on the list price of a sale's
    line; null: no limit."""

    name: RoleName
    description: Note | None = None
    permissions: Permissions
    max_discount_percent: Percentage | None = None
    warehouse_ids: WarehouseIds | None = None


class RoleUpdate(RequestBody):
    """Omitted fields keep their value. The name does not change."""

    description: Omittable[Note | None]
    permissions: Omittable[Permissions]
    max_discount_percent: Omittable[Percentage | None]
    warehouse_ids: Omittable[WarehouseIds | None]


class RoleResponse(BaseModel):
    """A role. Built-in ones do not change; their times are null."""

    model_config = ConfigDict(from_attributes=True)

    name: str
    description: str | None
    permissions: list[Permission]
    max_discount_percent: Percentage | None
    warehouse_ids: list[int] | None
    is_built_in: bool
    version: int
    created_at: datetime | None
    updated_at: datetime | None


class RolesResponse(BaseModel):
    """All roles: the built-in ones, each with more permissions than the one before it, then the others by name."""

    items: list[RoleResponse]


class PermissionResponse(BaseModel):
    """`description` completes the sentence "With it, one may …". `roles`: the built-in roles that have it."""

    name: Permission
    description: str
    roles: list[str]


class PermissionsResponse(BaseModel):
    """All permissions."""

    items: list[PermissionResponse]


BUILT_IN_DESCRIPTIONS: dict[str, str] = {
    "viewer": "Sees products and stock.",
    "salesperson": "Sells, takes returns and reserves; changes the products they have created.",
    "manager": "Runs the shop: all products, stock, purchases, expenses and reports, with costs.",
    "admin": "Has every permission.",
}


def built_in_role(name: str, permissions: frozenset[Permission]) -> RoleResponse:
    return RoleResponse(
        name=name,
        description=BUILT_IN_DESCRIPTIONS[name],
        permissions=[permission for permission in Permission if permission in permissions],
        max_discount_percent=None,
        warehouse_ids=None,
        is_built_in=True,
        version=1,
        created_at=None,
        updated_at=None,
    )
