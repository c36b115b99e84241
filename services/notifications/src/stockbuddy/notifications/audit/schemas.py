"""The audit trail as clients see it."""

from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field


class Change(BaseModel):
    """A field's value before and after; null where there was or is none."""

    model_config = ConfigDict(populate_by_name=True)

    before: Any = Field(alias="from")
    after: Any = Field(alias="to")


class AuditEntry(BaseModel):
    """Who did what to what, when, from where, and with what change."""

    id: int
    at: datetime
    type: str
    action: str = Field(description="The type's last word: `created`, `logged_in`.")
    actor_id: int | None
    actor: str | None
    ip_address: str | None
    subject: str | None
    changes: dict[str, Change]
    request_id: str | None
    hash: str = Field(description="SHA-256 over this entry of the event log and the hash of the one before it, in hex.")


class AuditVerdict(BaseModel):
    """`ok` when the whole log is as it was written. `entries` were walked; `first_bad_id` is where the chain breaks.
    `last_id` and `last_hash` are worth noting elsewhere: given to a later call, they prove that nobody has rewritten
    the log and its hashes up to there."""

    ok: bool
    entries: int
    first_bad_id: int | None
    last_id: int
    last_hash: str
