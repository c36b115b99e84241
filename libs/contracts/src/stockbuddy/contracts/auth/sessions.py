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


class SessionVerified(Event):
    """The user proved their identity again in a session (step-up), by `method`: `password`, `totp`, `recovery_code` or
    `passkey`."""

    type: ClassVar[str] = "auth.session.verified"
    subject_template: ClassVar[str] = "session/{session_id}"

    session_id: str
    user_id: int
    method: str


class SigningKeyRotated(Event):
    """`kid`: the new key, published at once; older keys stay published until their tokens expire."""

    type: ClassVar[str] = "auth.signing_key.rotated"
    subject_template: ClassVar[str] = "signing-key/{kid}"

    kid: str
    signs_from: datetime
