"""Parses a row of an import file."""

from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, StringConstraints, ValidationError

from stockbuddy.catalog.fields import MultiLineText, SingleLine100, SingleLine255
from stockbuddy.catalog.products.schemas import Barcodes, Price, StockQuantity
from stockbuddy.chassis.http.errors import VALUE_ERROR_PREFIX

REQUIRED_COLUMNS = frozenset({"sku", "name", "unit_price"})
EXTERNAL_ID = r"^[a-z]+:.+$"
IGNORED_IF_BLANK = frozenset({"is_active", "quantity"})
NOT_PRODUCT_FIELDS = frozenset({"category", "supplier", "quantity", "external_id"})


class ImportedRow(BaseModel):
    """A row's values. Columns absent from the file stay unset."""

    sku: SingleLine100
    name: SingleLine255 = ""
    description: MultiLineText | None = None
    category: SingleLine100 | None = None
    supplier: SingleLine255 | None = None
    unit_price: Price | None = None
    cost_price: Price | None = None
    unit_of_measure: SingleLine100 | None = None
    barcodes: Annotated[Barcodes, BeforeValidator(str.split)] = []
    low_stock_threshold: StockQuantity | None = None
    is_active: bool = True
    quantity: StockQuantity | None = None
    external_id: Annotated[SingleLine100, StringConstraints(pattern=EXTERNAL_ID)] | None = None

    def product_fields(self) -> dict[str, Any]:
        """The values of the product's own columns."""
        return {name: getattr(self, name) for name in self.model_fields_set - NOT_PRODUCT_FIELDS}


Rows = dict[int, ImportedRow]
"""Rows by their number in the file."""


def parse_row(columns: list[str], cells: list[str]) -> ImportedRow:
    """Raises ValueError with a message for the user. A blank cell clears a nullable field; a blank `is_active` or
    `quantity` is ignored."""
    values: dict[str, str | None] = {}
    for column, cell in zip(columns, cells, strict=True):
        if cell or column in REQUIRED_COLUMNS or column == "barcodes":
            values[column] = cell
        elif column not in IGNORED_IF_BLANK:
            values[column] = None
    blank = sorted(column for column in REQUIRED_COLUMNS if values.get(column) == "")
    if blank:
        raise ValueError("; ".join(f"{column}: is empty" for column in blank))
    try:
        return ImportedRow.model_validate(values)
    except ValidationError as error:
        errors = [(e["loc"][0], e["msg"].removeprefix(VALUE_ERROR_PREFIX)) for e in error.errors()]
        raise ValueError("; ".join(f"{column}: {message}" for column, message in errors)) from error
