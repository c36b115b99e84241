"""How API keys look in requests and answers."""

from datetime import datetime

from pydantic import BaseModel, ConfigDict

from stockbuddy.auth.fields import FutureTime, Name, WarehouseIds
from stockbuddy.chassis.http.tokens import Role


class CreateApiKey(BaseModel):
    """Without `role` it has its maker's; without `warehouse_ids` it reaches what its maker reaches."""

    model_config = ConfigDict(extra="forbid")

    name: Name
    role: Role | None = None
    warehouse_ids: WarehouseIds | None = None
    expires_at: FutureTime | None = None


class ApiKeyView(BaseModel):
    """`hint` is how the secret ends; `last_used_at` is exact to some seconds."""

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


class CreatedApiKey(ApiKeyView):
    """`key` goes into `X-API-Key`, and is never shown again."""

    key: str
