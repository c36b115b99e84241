"""Turns the rows of a shop system's export into rows of our own import: one per product, variants included."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation

from stockbuddy.catalog.imports.cell_values import normalize_cell
from stockbuddy.catalog.imports.generated_sku import generate_sku
from stockbuddy.catalog.imports.mapped_columns import ColumnMapping
from stockbuddy.catalog.imports.number_format import NUMBER_COLUMNS, NumberFormat
from stockbuddy.catalog.imports.options import ImportOptions
from stockbuddy.catalog.imports.shop_systems import (
    GROUP,
    ID,
    JOINED,
    OPTION_VALUES,
    OPTIONS,
    PARENT,
    STOCKBUDDY,
    TYPE,
    VARIATION,
)
from stockbuddy.catalog.spreadsheets.workbook_process import RawRow
from stockbuddy.chassis.spreadsheets import unescape_formula

GROUPED = "grouped"
"""WooCommerce's type of a product that only lists others."""
ONLY_VARIANT = {"shopify": "Default Title", "square": "Regular"}
"""What the only variant of a product is called."""
SHARED = ("name", "description", "category", "supplier", "is_active", "unit_of_measure")
"""The fields that a variant has from its product, unless it has its own."""

Values = dict[str, str]
"""The cells of a row by field."""


@dataclass(frozen=True, slots=True)
class ProductRow:
    """A row of the import: cells in the order of the mapping's fields. `problem`: why it can't be imported."""

    number: int
    cells: list[str]
    problem: str | None


@dataclass(slots=True)
class ProductRows:
    """Reads a file twice: `survey` collects what rows need to know of others, then `build` returns the products.
    `parents`: the shared fields of products by id or SKU; `skipped`: the rows that hold no product."""

    mapping: ColumnMapping
    options: ImportOptions
    numbers: NumberFormat
    parents: dict[str, Values] = field(default_factory=dict)
    skipped: int = 0
    _parent_references: set[str] = field(default_factory=set)
    _variant_skus: Counter[str] = field(default_factory=Counter)
    _group: Values = field(default_factory=dict)

    @property
    def unknown_parents(self) -> set[str]:
        """References to products that are not in this file."""
        return self._parent_references - self.parents.keys()

    def survey(self, row: RawRow) -> None:
        values = self._read_values(row[1])
        for column in NUMBER_COLUMNS & values.keys():
            self.numbers.observe(column, values[column])
        if parent := _reference(values.get(PARENT, "")):
            self._parent_references.add(parent)
            self._variant_skus[values.get("sku", "")] += 1
        elif self.mapping.system.name == "woocommerce":
            shared = {name: values.get(name, "") for name in (*SHARED, "sku")}
            self.parents |= {key: shared for key in (values.get(ID), values.get("sku")) if key}

    def build(self, row: RawRow) -> ProductRow | None:
        """None for a row without a product: of another image, or of a product that is sold by its variants."""
        number, raw_cells, kinds = row
        values = self._read_values(raw_cells)
        if not any(values.values()):
            return None
        options = self._take_options(values)
        if not self._complete(values, options):
            self.skipped += 1
            return None
        problems = self._name_variant(values, options)
        for name, default in self.options.defaults.items():
            values[name] = values.get(name) or default
        problems += self._special_cells(raw_cells, kinds)
        if len(raw_cells) > (width := self.mapping.width):
            problems.append(f"has more cells than the first row, which has {width}; quote texts with delimiters")
        cells = []
        for name in self.mapping.fields:
            try:
                cells.append(normalize_cell(name, values.get(name, ""), self.numbers, self.mapping.system))
            except ValueError as error:
                cells.append(values.get(name, ""))
                problems.append(f"{name}: {error}")
        return ProductRow(number, cells, "; ".join(problems) or None)

    def _read_values(self, cells: Sequence[str]) -> Values:
        values: Values = {}
        for column in self.mapping.columns:
            if column.field is None:
                continue
            cell = unescape_formula(cells[column.position]).strip() if column.position < len(cells) else ""
            if column.field == "barcodes":
                cell = f"{values.get('barcodes', '')} {cell}".strip()
            values[column.field] = cell if column.field not in JOINED else cell or values.get(column.field, "")
        return values

    def _special_cells(self, cells: Sequence[str], kinds: Mapping[int, str]) -> list[str]:
        """Problems of cells with dates and errors: no field of a product is a date."""
        return [
            f"{column.field}: the cell contains the date {cells[column.position]}; enter it again in a column of texts"
            if kinds[column.position] == "date"
            else f"{column.field}: the cell contains the error {cells[column.position]}"
            for column in self.mapping.columns
            if column.field is not None and column.position in kinds
        ]

    def _take_options(self, values: Values) -> list[str]:
        """The values of the row's options, such as Red and M."""
        combined = values.pop(OPTIONS, "")
        options = [part.partition(":")[2] or part for part in combined.split(", ")] if combined else []
        options += [values.pop(name, "") for name in (*OPTION_VALUES, VARIATION)]
        names = [stripped for option in options if (stripped := option.strip())]
        return [name for name in names if name != ONLY_VARIANT.get(self.mapping.system.name)]

    def _complete(self, values: Values, options: list[str]) -> bool:
        """Add what the row has from its product. False if the row itself is no product."""
        system, parent = self.mapping.system.name, _reference(values.get(PARENT, ""))
        if system == "shopify":
            return self._complete_from_group(values, options)
        if system == "prestashop" and values.get(ID):
            values["external_id"] = f"{system}:{values[ID]}"
        if parent:
            self._complete_from_parent(values, options, self.parents.get(parent, {}))
            return True
        if system == "woocommerce":
            options.clear()
        is_parent = bool(self._parent_references & {values.get(ID, ""), values.get("sku", "")} - {""})
        return not is_parent and values.get(TYPE, "").casefold() != GROUPED

    def _complete_from_parent(self, values: Values, options: list[str], parent: Values) -> None:
        if self.mapping.system.name == "woocommerce":
            # WooCommerce writes the options into the name, unless they are too many.
            if parent.get("name") and options:
                values["name"] = ""
            else:
                options.clear()
        elif "unit_price" in parent:
            values["unit_price"] = self._add_impact(parent["unit_price"], values.get("unit_price", ""))
        for name in SHARED:
            values[name] = values.get(name) or parent.get(name, "")
        values[GROUP] = parent.get("sku", "")

    def _complete_from_group(self, values: Values, options: list[str]) -> bool:
        """Only the first row of a group has what its variants share; rows of further images have nothing else."""
        if values[GROUP] and values[GROUP] == self._group.get(GROUP):
            if not (options or values.get("sku") or values.get("unit_price")):
                return False
            for name in SHARED:
                values[name] = values.get(name) or self._group.get(name, "")
        else:
            self._group = dict(values)
        return True

    def _name_variant(self, values: Values, options: Sequence[str]) -> list[str]:
        """Complete name and SKU; returns the problems."""
        base = values.get(GROUP) or values.get("name", "")
        sku, problems = values.get("sku", ""), list[str]()
        if self.mapping.system.name == "prestashop_combinations" and _reference(values[PARENT]) not in self.parents:
            problems.append(f"the product {values[PARENT]} is unknown; import the file of PrestaShop's products first")
        if options and self.options.variants == "reject":
            problems.append("is a variant of a product; import with variants=separate_products")
        if options:
            values["name"] = " / ".join([values.get("name", ""), *options])
        if sku and self._variant_skus[sku] > 1:
            values["sku"] = generate_sku(sku, options)
        elif not sku and self._generates_skus:
            values["sku"] = generate_sku(base, options)
        elif not sku:
            problems.append("sku: is empty; import with on_missing_sku=generate")
        return problems

    @property
    def _generates_skus(self) -> bool:
        default = "reject" if self.mapping.system is STOCKBUDDY else "generate"
        return (self.options.on_missing_sku or default) == "generate"

    def _add_impact(self, base: str, impact: str) -> str:
        """PrestaShop's combinations have the difference to the price of their product."""
        try:
            return format(Decimal(base) + Decimal(self.numbers.normalize("unit_price", impact or "0")), "f")
        except (InvalidOperation, ValueError):
            return impact


def _reference(parent: str) -> str:
    """WooCommerce refers to a parent by its SKU, or by `id:17`."""
    return parent.removeprefix("id:")
