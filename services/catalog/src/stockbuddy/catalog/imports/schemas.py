"""Responses of imports."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict

from stockbuddy.catalog.fields import blank_to_none
from stockbuddy.catalog.spreadsheets.reader import Format


class ImportForm(BaseModel):
    """The fields of an upload's form, besides the file."""

    dry_run: Annotated[bool | None, BeforeValidator(blank_to_none)] = None


class ImportResponse(BaseModel):
    """`total` is null until the file has been read; `done` rows have been processed. A dry run counts what would
    happen. `errors_url`: a file of the failed rows, to be corrected and imported again. `problem`: why the whole import
    failed."""

    model_config = ConfigDict(from_attributes=True)

    id: int
    state: Literal["queued", "running", "finished", "failed"]
    dry_run: bool
    format: Format
    file_name: str | None
    total: int | None
    done: int
    created: int
    updated: int
    unchanged: int
    failed: int
    problem: str | None
    errors_url: str | None
    actor_id: int
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
