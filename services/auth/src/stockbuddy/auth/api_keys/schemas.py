"""Requests and responses of API keys."""

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from stockbuddy.auth.fields import FutureTime, Name, Networks, Permissions, RoleName, WarehouseIds
from stockbuddy.chassis.access.permissions import Permission
from stockbuddy.chassis.fields import RequestBody
from stockbuddy.chassis.http.pagination import PageQuery


class ApiKeyFilter(PageQuery):
    """`all`: the keys of all users, with the permission `key.manage`."""

    model_config = ConfigDict(populate_by_name=True)

    all_owners: bool = Field(default=False, alias="all")


class ApiKeyCreate(RequestBody):
    """Defaults: the creator's role and warehouses, all permissions of the role, no expiry, accepted from everywhere.
    `scopes`: permissions of the role to which the key is restricted. `networks`: in CIDR notation, as
    `203.0.113.0/24`."""

    name: Name
    role: RoleName | None = None
    scopes: Annotated[Permissions, Field(min_length=1)] | None = None
    networks: Networks | None = None
    warehouse_ids: WarehouseIds | None = None
    expires_at: FutureTime | None = None


class ApiKeyResponse(BaseModel):
    """`hint`: the last characters of the secret. `last_used_at` is accurate to some seconds."""

    model_config = ConfigDict(from_attributes=True)

    id: int
    name: str
    owner_id: int
    role: str
    scopes: list[Permission] | None
    networks: list[str] | None
    warehouse_ids: list[int] | None
    hint: str
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None


class ApiKeySecretResponse(ApiKeyResponse):
    """A new API key; `key`, the value of `X-API-Key`, is returned only here."""

    key: str
