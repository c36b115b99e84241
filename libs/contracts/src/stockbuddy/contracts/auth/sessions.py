"""Events of login sessions and the keys that sign access tokens."""

from datetime import datetime
from typing import ClassVar

from stockbuddy.contracts.event import Event


class SessionRefreshed(Event):
    type: ClassVar[str] = "auth.session.refreshed"
    subject_template: ClassVar[str] = "session/{session_id}"

    session_id: str
    user_id: int


class SessionRevoked(Event):
    type: ClassVar[str] = "auth.session.revoked"
    subject_template: ClassVar[str] = "session/{session_id}"

    session_id: str
    user_id: int
    reason: str


class SigningKeyRotated(Event):
    """`kid` is the new key, published now; the older ones stay published while their tokens live."""

    type: ClassVar[str] = "auth.signing_key.rotated"
    subject_template: ClassVar[str] = "signing-key/{kid}"

    kid: str
    signs_from: datetime
