"""Requests and responses of invitations."""

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, StringConstraints

from stockbuddy.auth.fields import EmailAddress, FullName, FutureTime, LoginPassword, Note, WarehouseIds
from stockbuddy.chassis.fields import RequestBody
from stockbuddy.chassis.http.tokens import Role


class InvitationCreate(RequestBody):
    """Default of `expires_at`: after INVITATION_DAYS."""

    role: Role = Role.SALESPERSON
    warehouse_ids: WarehouseIds | None = None
    expires_at: FutureTime | None = None
    note: Note | None = None


class InvitationResponse(BaseModel):
    """An invitation, without its token."""

    model_config = ConfigDict(from_attributes=True)

    id: int
    role: Role
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
