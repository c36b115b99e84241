"""Responses of imports."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from stockbuddy.catalog.imports.shop_systems import SystemName
from stockbuddy.catalog.spreadsheets.reader import Format


class ImportColumn(BaseModel):
    """A column of the file. `field`: the column of an import that it is, or its role among variants; null if it is
    ignored. A column without a header is called by its place."""

    column: str
    field: str | None


class ImportResponse(BaseModel):
    """`total` is null until the file has been read; `done` rows have been processed. A dry run counts what would
    happen. `problem`: why the whole import failed."""

    model_config = ConfigDict(from_attributes=True)

    id: int
    state: Literal["queued", "running", "finished", "failed"]
    dry_run: bool
    format: Format
    file_name: str | None
    system: SystemName = Field(description="The shop system whose export the file is.")
    mapping: list[ImportColumn]
    total: int | None
    done: int
    created: int
    updated: int
    unchanged: int
    failed: int
    skipped: int = Field(description="Rows without a product of their own, such as further images; not in `total`.")
    problem: str | None
    errors_url: str | None = Field(description="A file of the failed rows, to be corrected and imported again.")
    actor_id: int
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None


class PreviewRow(BaseModel):
    """A row as it would be stored. `product`: its cells by column; `problem`: why it would fail."""

    row: int
    product: dict[str, str]
    problem: str | None


class ImportPreview(BaseModel):
    """What an import of the file would do; nothing is changed. The counts are those of the rows read: a file with more
    than 1,000 is read in part (`is_complete` is false), and a dry run counts all."""

    format: Format
    system: SystemName = Field(description="The shop system whose export the file is.")
    mapping: list[ImportColumn]
    ignored_columns: list[str]
    rows: list[PreviewRow]
    total: int
    created: int
    updated: int
    unchanged: int
    failed: int
    skipped: int
    is_complete: bool
