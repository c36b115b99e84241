"""Requests and responses of invitations."""

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, StringConstraints

from stockbuddy.auth.fields import EmailAddress, FullName, FutureTime, LoginPassword, Note, RoleName, WarehouseIds
from stockbuddy.chassis.access.roles import Role
from stockbuddy.chassis.fields import RequestBody


class InvitationCreate(RequestBody):
    """Default of `expires_at`: after INVITATION_DAYS."""

    role: RoleName = Role.SALESPERSON.value
    warehouse_ids: WarehouseIds | None = None
    expires_at: FutureTime | None = None
    note: Note | None = None


class InvitationResponse(BaseModel):
    """An invitation, without its token."""

    model_config = ConfigDict(from_attributes=True)

    id: int
    role: str
    warehouse_ids: list[int] | None
    note: str | None
    created_by: int
    created_at: datetime
    expires_at: datetime
    is_used: bool
    used_at: datetime | None
    used_by: int | None


class InvitationTokenResponse(InvitationResponse):
    """A new invitation; `token` is returned only here."""

    token: str


class SalespersonLogin(RequestBody):
    """`access_token`: the token of an invitation, required without an account."""

    email: EmailAddress
    password: LoginPassword
    access_token: Annotated[str, StringConstraints(strip_whitespace=True, max_length=100)] | None = None
    full_name: FullName | None = None
