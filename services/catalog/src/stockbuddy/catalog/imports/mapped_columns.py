"""Which column of a file is which field of a product: from its headers, its shop system and the user's mapping."""

from collections.abc import Sequence
from dataclasses import dataclass

from stockbuddy.catalog.errors import UnreadableFile
from stockbuddy.catalog.imports.options import ImportOptions
from stockbuddy.catalog.imports.shop_systems import (
    JOINED,
    PRESTASHOP_SUPPLIERS,
    STOCKBUDDY,
    Field,
    ShopSystem,
    header_key,
    recognize_system,
)
from stockbuddy.catalog.spreadsheets.cells import IMPORT_COLUMNS, REPORT_COLUMNS
from stockbuddy.chassis.http.errors import Unprocessable

MAX_NAMED_COLUMNS_LENGTH = 200
SUPPLIER_FIELDS = ("supplier",)
"""The fields of a file of suppliers."""


@dataclass(frozen=True, slots=True)
class MappedColumn:
    """`field` is None if the column is ignored. `position`: its index in a row. `header` is blank if it has none."""

    position: int
    header: str
    field: Field | None


@dataclass(frozen=True, slots=True)
class ColumnMapping:
    """`columns` are those of the file, without report columns; `fields` are the columns that the import stores, in the
    order of IMPORT_COLUMNS; `width` is the number of cells of the first row."""

    system: ShopSystem
    width: int
    columns: tuple[MappedColumn, ...]
    fields: tuple[str, ...]


def map_columns(header: Sequence[str], options: ImportOptions) -> ColumnMapping:
    """Raises UnreadableFile or Unprocessable, naming the columns that are unknown, or have no field."""
    headers = [cell.strip() for cell in header]
    if not any(headers):
        raise UnreadableFile("The first row has no column names.")
    system = recognize_system(headers)
    columns = tuple(_resolve(headers, system, _mapping(headers, options)))
    if (options.unmapped_columns or ("reject" if system is STOCKBUDDY else "ignore")) == "reject":
        _reject_unmapped(columns, options)
    if system is PRESTASHOP_SUPPLIERS:
        return ColumnMapping(system, len(headers), columns, SUPPLIER_FIELDS)
    fields = {column.field for column in columns} | options.defaults.keys()
    if system is not STOCKBUDDY:
        fields |= {"name"}
    if not fields & {"sku", "name"}:
        raise UnreadableFile("The first row has no column sku and no column name; name them with `mapping`.")
    if "id" in fields and system.name == "prestashop":
        fields |= {"external_id"}
    stored = tuple(name for name in IMPORT_COLUMNS if name in fields | {"sku"})
    return ColumnMapping(system, len(headers), columns, stored)


def _mapping(headers: Sequence[str], options: ImportOptions) -> dict[str, str | None]:
    """The user's mapping by header key. Raises Unprocessable if the file has no such column."""
    known = {header_key(header) for header in headers}
    for name in options.mapping:
        if header_key(name) not in known:
            raise Unprocessable.field("mapping", f"the file has no column {name}", "column_unknown", column=name)
    return {header_key(name): field for name, field in options.mapping.items()}


def _resolve(headers: Sequence[str], system: ShopSystem, mapping: dict[str, str | None]) -> list[MappedColumn]:
    """The first column of a field has it, unless the user has mapped another one to it."""
    mapped = [field for field in mapping.values() if field is not None]
    if twice := [field for field in mapped if mapped.count(field) > 1 and field not in JOINED]:
        raise Unprocessable.field("mapping", f"two columns are mapped to {twice[0]}", "field_twice", name=twice[0])
    taken = set(mapped) - JOINED
    columns = []
    for position, header in enumerate(headers):
        key = header_key(header)
        if key in REPORT_COLUMNS and key not in mapping:
            continue
        field = mapping[key] if key in mapping else system.find_field(header)
        if key not in mapping and field is not None and field not in JOINED:
            if field in taken and system is STOCKBUDDY:
                raise UnreadableFile(f"The first row contains the column {field} twice.")
            field = None if field in taken else field
            taken.add(field or "")
        columns.append(MappedColumn(position, header, field))
    return columns


def _reject_unmapped(columns: Sequence[MappedColumn], options: ImportOptions) -> None:
    mapped = {header_key(name) for name in options.mapping}
    unknown = [c.header for c in columns if c.header and c.field is None and header_key(c.header) not in mapped]
    if unknown:
        listed = ", ".join(unknown)[:MAX_NAMED_COLUMNS_LENGTH]
        raise UnreadableFile(
            f"Unknown columns: {listed}. Known columns: {', '.join(IMPORT_COLUMNS)}. Name the others with `mapping`, "
            "or import with unmapped_columns=ignore."
        )
