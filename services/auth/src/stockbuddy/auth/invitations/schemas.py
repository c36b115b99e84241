"""How invitations look in requests and answers."""

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, StringConstraints

from stockbuddy.auth.fields import EmailAddress, FullName, FutureTime, Note, WarehouseIds
from stockbuddy.auth.logins.schemas import TypedPassword
from stockbuddy.chassis.http.tokens import Role


class CreateInvitation(BaseModel):
    """Without `expires_at` it works for some days (INVITATION_DAYS)."""

    model_config = ConfigDict(extra="forbid")

    role: Role = Role.SALESPERSON
    warehouse_ids: WarehouseIds | None = None
    expires_at: FutureTime | None = None
    note: Note | None = None


class InvitationView(BaseModel):
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


class CreatedInvitation(InvitationView):
    """`token` is shown once."""

    token: str


class EnterAsSalesperson(BaseModel):
    """`access_token` is the invitation, needed by who has no account yet."""

    model_config = ConfigDict(extra="forbid")

    email: EmailAddress
    password: TypedPassword
    access_token: Annotated[str, StringConstraints(strip_whitespace=True, max_length=100)] | None = None
    full_name: FullName | None = None
