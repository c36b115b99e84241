"""The audit trail as clients see it, and its filter."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from stockbuddy.chassis.fields import MAX_ID, NO_NUL, DayOrTime, Id, Integer
from stockbuddy.chassis.http.pagination import PageQuery
from stockbuddy.notifications.event_log.filters import Patterns

ExportFormat = Literal["jsonl", "cef", "chain"]
SearchText = Annotated[str, StringConstraints(max_length=300, pattern=NO_NUL)]


class AuditFilter(PageQuery):
    model_config = ConfigDict(populate_by_name=True)

    type: Patterns = Field((), description="Patterns such as `auth.*`; repeated or comma-separated.")
    action: Annotated[str, StringConstraints(pattern="^[a-z0-9_]{1,50}$")] | None = None
    actor_id: Id | None = None
    actor: SearchText | None = None
    ip_address: SearchText | None = None
    subject: SearchText | None = None
    since: DayOrTime | None = Field(None, alias="from", description="Moment, or day in the company's time zone.")
    until: DayOrTime | None = Field(None, alias="to", description="Exclusive; a moment or a day.")
    request_id: SearchText | None = None
    search: SearchText | None = Field(None, description="Words or their beginnings.")


class ChainQuery(BaseModel):
    """A hash recorded earlier, which the log must still have: not of an entry that is only in an archive."""

    known_id: Id | None = Field(None, description="`last_id` of an earlier verification.")
    known_hash: Annotated[str, StringConstraints(pattern="^[0-9a-f]{64}$")] | None = None


class ExportQuery(BaseModel):
    """`after`: the `id` of the last entry that the consumer has."""

    format: ExportFormat = Field("jsonl", description="`jsonl` or `cef`: audited entries; `chain`: the whole log.")
    after: Annotated[Integer, Field(ge=0, le=MAX_ID)] = 0
    limit: Annotated[Integer, Field(ge=1, le=MAX_ID)] | None = None


class FieldChange(BaseModel):
    """A field's value before and after; null where there was or is none."""

    model_config = ConfigDict(populate_by_name=True)

    before: Any = Field(alias="from")
    after: Any = Field(alias="to")


class AuditEntryResponse(BaseModel):
    """An audited event: its actor, time, client address and changes."""

    id: int
    at: datetime
    type: str
    action: str = Field(description="The type's last word: `created`, `logged_in`.")
    actor_id: int | None
    actor: str | None
    ip_address: str | None
    subject: str | None
    changes: dict[str, FieldChange]
    request_id: str | None
    hash: str = Field(description="SHA-256 of the previous entry's hash and this entry of the event log, in hex.")


class AuditVerificationResponse(BaseModel):
    """`ok`: no entry and no personal value was altered. `entries` were verified, after `archived_entries` that are in
    archives; the chain breaks at `first_bad_id`.
    Record `last_id` and `last_hash` outside the system: as `known_id` and `known_hash` of a later call they reveal a
    log that was rewritten together with its hashes. `altered_values`: personal values other than those logged."""

    ok: bool
    entries: int
    archived_entries: int
    first_bad_id: int | None
    last_id: int
    last_hash: str
    altered_values: int
