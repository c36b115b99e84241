"""Events of invitations, the single-use tokens that let salespeople register."""

from datetime import datetime
from typing import ClassVar

from stockbuddy.contracts.event import Event
from stockbuddy.contracts.personal_data import PersonalFields


class InvitationState(Event):
    """An invitation. Never contains the token."""

    subject_template: ClassVar[str] = "invitation/{invitation_id}"
    personal = (PersonalFields("invitation/{invitation_id}", ("note",)),)

    invitation_id: int
    role: str
    warehouse_ids: list[int] | None = None
    note: str | None = None
    expires_at: datetime


class InvitationCreated(InvitationState):
    type: ClassVar[str] = "auth.invitation.created"


class InvitationUsed(InvitationState):
    type: ClassVar[str] = "auth.invitation.used"

    used_by: int


class InvitationRevoked(InvitationState):
    type: ClassVar[str] = "auth.invitation.revoked"
