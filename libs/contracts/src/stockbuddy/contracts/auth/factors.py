"""Events of second factors. They contain neither secrets nor codes."""

from typing import ClassVar

from stockbuddy.contracts.event import Event
from stockbuddy.contracts.personal_data import PersonalFields


class FactorState(Event):
    """A second factor of a user. `kind`: `totp` (an authenticator app) or `passkey`."""

    subject_template: ClassVar[str] = "user/{user_id}"
    personal = (PersonalFields("user/{user_id}", ("username",)),)

    user_id: int
    username: str
    kind: str


class FactorAdded(FactorState):
    """The user has set up a second factor."""

    type: ClassVar[str] = "auth.factor.added"


class FactorRemoved(FactorState):
    """`reason`: `removed` by the user, or `reset` by an admin."""

    type: ClassVar[str] = "auth.factor.removed"

    reason: str


class FactorDisabled(FactorState):
    """A second factor is refused from now on. `reason`: `copied`, if the counter of a passkey has not grown, so that
    another authenticator has the same key."""

    type: ClassVar[str] = "auth.factor.disabled"

    reason: str


class RecoveryCodeUsed(Event):
    """A recovery code replaced a second factor; `remaining` codes are left."""

    type: ClassVar[str] = "auth.recovery_code.used"
    subject_template: ClassVar[str] = "user/{user_id}"
    personal = (PersonalFields("user/{user_id}", ("username",)),)

    user_id: int
    username: str
    remaining: int


class RecoveryCodesReplaced(Event):
    """The user received new recovery codes; the old ones are invalid."""

    type: ClassVar[str] = "auth.recovery_code.replaced"
    subject_template: ClassVar[str] = "user/{user_id}"
    personal = (PersonalFields("user/{user_id}", ("username",)),)

    user_id: int
    username: str
