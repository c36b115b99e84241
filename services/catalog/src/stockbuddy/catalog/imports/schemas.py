"""What clients see of imports, and what a row of a file must hold."""

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError, field_validator

from stockbuddy.catalog.products.schemas import Amount, Barcodes, Price
from stockbuddy.catalog.wording import Line, Prose, ShortLine
from stockbuddy.chassis.http.errors import VALUE_ERROR_PREFIX

REQUIRED = frozenset({"sku", "name", "unit_price"})

State = Literal["queued", "running", "finished", "failed"]


class ShownImport(BaseModel):
    """`total` is null until the file was read; `done` of its rows are dealt with. A dry run counts what would
    happen. `errors_url` is a file of the rows that failed, to be mended and imported again; `problem` says why
    the import failed as a whole."""

    model_config = ConfigDict(from_attributes=True)

    id: int
    state: State
    dry_run: bool
    format: Literal["csv", "xlsx"]
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


class ImportedRow(BaseModel):
    """The fields of a product as its row gives them; columns that the file has not are not set."""

    sku: ShortLine
    name: Line = ""
    description: Prose | None = None
    category: ShortLine | None = None
    supplier: Line | None = None
    unit_price: Price | None = None
    cost_price: Price | None = None
    unit_of_measure: ShortLine | None = None
    barcodes: Barcodes = []
    low_stock_threshold: Amount | None = None
    is_active: bool = True
    quantity: Amount | None = None

    @field_validator("barcodes", mode="before")
    @classmethod
    def split(cls, value: str) -> list[str]:
        codes = value.split()
        if len(set(codes)) < len(codes):
            raise ValueError("a barcode is given twice")
        return codes

    def given(self) -> dict[str, Any]:
        """The product's own fields, as Python values."""
        return {name: getattr(self, name) for name in self.model_fields_set - {"category", "supplier", "quantity"}}


def read_row(columns: list[str], cells: list[str]) -> ImportedRow:
    """Raises ValueError with what is wrong, to be read by whoever mends the file. A blank cell clears what may be
    empty; a blank `is_active` or `quantity` says nothing."""
    values: dict[str, str | None] = {}
    for column, cell in zip(columns, cells, strict=True):
        if cell or column in REQUIRED or column == "barcodes":
            values[column] = cell
        elif column not in ("is_active", "quantity"):
            values[column] = None
    blank = sorted(column for column in REQUIRED if values.get(column) == "")
    if blank:
        raise ValueError("; ".join(f"{column}: is empty" for column in blank))
    try:
        return ImportedRow.model_validate(values)
    except ValidationError as error:
        found = [(e["loc"][0], e["msg"].removeprefix(VALUE_ERROR_PREFIX)) for e in error.errors()]
        raise ValueError("; ".join(f"{column}: {reason}" for column, reason in found)) from error
