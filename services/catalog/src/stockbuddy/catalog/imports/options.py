"""How an import treats its file: the parameters of the request, and the options that a job keeps."""

import json
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, Field, TypeAdapter, ValidationError

from stockbuddy.catalog.fields import blank_to_none
from stockbuddy.catalog.imports.number_format import DecimalSeparator
from stockbuddy.catalog.spreadsheets.cells import IMPORT_COLUMNS

MAX_JSON_LENGTH = 6_000
"""Both objects fit into the longest URL that the gateway accepts."""
MAX_DEFAULT_LENGTH = 1000

_MAPPING: TypeAdapter[dict[str, str | None]] = TypeAdapter(dict[str, str | None])
_DEFAULTS: TypeAdapter[dict[str, str]] = TypeAdapter(dict[str, Annotated[str, Field(max_length=MAX_DEFAULT_LENGTH)]])


def _check_mapping(document: str) -> str:
    _require_fields(field for field in _parse(_MAPPING, document).values() if field is not None)
    return document


def _check_defaults(document: str) -> str:
    _require_fields(_parse(_DEFAULTS, document))
    return document


def _parse(adapter: TypeAdapter[Any], document: str) -> Any:
    try:
        return adapter.validate_json(document)
    except ValidationError as error:
        raise ValueError("is not a JSON object of texts") from error


def _require_fields(names: Any) -> None:
    if unknown := [name for name in names if name not in IMPORT_COLUMNS]:
        raise ValueError(f"{unknown[0]} is no column of an import; these are {', '.join(IMPORT_COLUMNS)}")


def _optional(description: str) -> Any:
    return Field(default=None, description=description)


_BLANK = BeforeValidator(blank_to_none)


class ImportParameters(BaseModel):
    """The parameters of an import, in the query or as fields of the form."""

    dry_run: Annotated[bool | None, _BLANK] = _optional("Report the same problems and change nothing.")
    preview: Annotated[bool | None, _BLANK] = _optional(
        "Return the mapping, the first rows and the effect at once, and change nothing."
    )
    mapping: Annotated[str | None, Field(max_length=MAX_JSON_LENGTH), AfterValidator(_check_mapping), _BLANK] = (
        _optional('JSON object: column of the file → column of an import, null to ignore it, such as {"Brand": null}.')
    )
    defaults: Annotated[str | None, Field(max_length=MAX_JSON_LENGTH), AfterValidator(_check_defaults), _BLANK] = (
        _optional("JSON object: column of an import → value where the file has none or the cell is blank.")
    )
    unmapped_columns: Annotated[Literal["reject", "ignore"] | None, _BLANK] = _optional(
        "Columns without a meaning are ignored in files of other shop systems and rejected in others, unless given."
    )
    on_existing_quantity: Annotated[Literal["error", "set"] | None, _BLANK] = _optional(
        "A quantity for an existing product: error (default), or set its stock in the default warehouse."
    )
    on_missing_sku: Annotated[Literal["reject", "generate"] | None, _BLANK] = _optional(
        "A row without a SKU: generate it from handle or name and options (default for other shop systems), or reject."
    )
    variants: Annotated[Literal["separate_products", "reject"] | None, _BLANK] = _optional(
        "Variants become separate products (default), such as T-Shirt / Red / M, or are rejected."
    )
    decimal_separator: Annotated[DecimalSeparator | None, _BLANK] = _optional(
        "Decimal separator of the file's numbers, if it is not obvious from a column."
    )

    def to_options(self) -> "ImportOptions":
        return ImportOptions(
            mapping=json.loads(self.mapping or "{}"),
            defaults=json.loads(self.defaults or "{}"),
            unmapped_columns=self.unmapped_columns,
            on_existing_quantity=self.on_existing_quantity or "error",
            on_missing_sku=self.on_missing_sku,
            variants=self.variants or "separate_products",
            decimal_separator=self.decimal_separator,
        )


class ImportOptions(BaseModel):
    """The options that a job stores; None where the default depends on the file."""

    mapping: dict[str, str | None] = {}
    defaults: dict[str, str] = {}
    unmapped_columns: Literal["reject", "ignore"] | None = None
    on_existing_quantity: Literal["error", "set"] = "error"
    on_missing_sku: Literal["reject", "generate"] | None = None
    variants: Literal["separate_products", "reject"] = "separate_products"
    decimal_separator: DecimalSeparator | None = None
