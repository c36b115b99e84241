"""Requests and responses of API keys."""

from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field

from stockbuddy.auth.fields import FutureTime, Name, WarehouseIds
from stockbuddy.chassis.fields import RequestBody
from stockbuddy.chassis.http.pagination import PageQuery
from stockbuddy.chassis.http.tokens import Role


class ApiKeyFilter(PageQuery):
    """`all`: the keys of all users, for admins."""

    model_config = ConfigDict(populate_by_name=True)

    all_owners: bool = Field(default=False, alias="all")


class ApiKeyCreate(RequestBody):
    """Defaults: the creator's role and warehouses, no expiry."""

    name: Name
    role: Role | None = None
    warehouse_ids: WarehouseIds | None = None
    expires_at: FutureTime | None = None


class ApiKeyResponse(BaseModel):
    """`hint`: the last characters of the secret. `last_used_at` is accurate to some seconds."""

    model_config = ConfigDict(from_attributes=True)

    id: int
    name: str
    owner_id: int
    role: Role
    warehouse_ids: list[int] | None
    hint: str
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None


class ApiKeySecretResponse(ApiKeyResponse):
    """A new API key; `key`, the value of `X-API-Key`, is returned only here."""

    key: str
