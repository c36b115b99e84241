"""The export files of shop systems: which headers they have, and what their columns mean for a product.

Headers are in the normal form of `header_key`. Besides the columns of an import there are roles, which place a row
among the variants of a product.
"""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from stockbuddy.catalog.spreadsheets.cells import IMPORT_COLUMNS

SystemName = Literal[
    "stockbuddy",
    "shopify",
    "woocommerce",
    "prestashop",
    "prestashop_combinations",
    "prestashop_suppliers",
    "square",
    "odoo",
]
Field = str
"""A column of an import, or a role."""

GROUP, ID, PARENT, TYPE, OPTIONS, VARIATION = "group", "id", "parent", "type", "options", "variation"
"""Roles: the handle that variants share, a row's id, the id or SKU of a variant's parent, the kind of row, all options
in one cell (`Colour:Blue, Size:M`), and the name of a variant."""
MAX_OPTIONS = 3
OPTION_VALUES = tuple(f"option{number}_value" for number in range(1, MAX_OPTIONS + 1))
JOINED = frozenset({"barcodes", "description"})
"""Fields that several columns may have: all barcodes, and the first description."""


@dataclass(frozen=True, slots=True)
class ShopSystem:
    """`signature`: the fields or headers by which a file is recognised. `patterns`: headers that contain a number or a
    place. `has_category_paths`: a category may be a list of paths such as `Clothing > Shirts, Sale`."""

    name: SystemName
    signature: frozenset[Field]
    headers: Mapping[str, Field]
    patterns: tuple[tuple[re.Pattern[str], Field], ...] = ()
    has_category_paths: bool = False

    def find_field(self, header: str) -> Field | None:
        """The meaning of a column with this header, None if it has none for a product."""
        key = header_key(header)
        if key in self.headers:
            return self.headers[key]
        for pattern, field in self.patterns:
            if match := pattern.fullmatch(key):
                return field.format(*match.groups())
        return None


def header_key(header: str) -> str:
    """`Name*`, ` NAME` and `name` are one header; some systems mark required columns with an asterisk."""
    key = unicodedata.normalize("NFC", header).replace("\u2019", "'").rstrip("* ").casefold()
    return " ".join(key.replace("_", " ").split())


def _headers(table: Mapping[Field, str]) -> dict[str, Field]:
    """`table`: the headers of each field, separated by `|`."""
    return {header: field for field, headers in table.items() for header in headers.split("|")}


STOCKBUDDY = ShopSystem(
    "stockbuddy",
    frozenset(),
    _headers(
        {name: name.replace("_", " ") for name in IMPORT_COLUMNS}
        | {
            "unit_price": "unit price|price",
            "barcodes": "barcodes|barcode",
            "quantity": "quantity|quantity in stock",
        }
    ),
)
_SHOPIFY = ShopSystem(
    "shopify",
    frozenset({GROUP, "name", "unit_price"}),
    _headers(
        {
            GROUP: "handle",
            "name": "title",
            "description": "body (html)",
            "supplier": "vendor",
            "category": "type",
            "is_active": "status",
            "sku": "variant sku",
            "quantity": "variant inventory qty",
            "unit_price": "variant price",
            "cost_price": "cost per item",
            "barcodes": "variant barcode",
        }
    ),
    ((re.compile(rf"option([1-{MAX_OPTIONS}]) value"), "option{}_value"),),
)
_WOOCOMMERCE = ShopSystem(
    "woocommerce",
    frozenset({ID, TYPE, PARENT, "name", "unit_price"}),
    _headers(
        {
            ID: "id",
            TYPE: "type|tipo|typ",
            PARENT: "parent|produto ascendente|ascendente|principal|superior|genitore|übergeordnetes produkt"
            "|übergeordnet",
            "sku": "sku|ref|ugs|cod|artikelnummer",
            "barcodes": "gtin, upc, ean, or isbn|gtin, upc, ean, ou isbn|gtin, upc, ean o isbn"
            "|gtin, upc, ean oder isbn",
            "name": "name|nome|nombre|nom",
            "description": "description|descrição|descripción|beschreibung|descrizione|short description"
            "|descrição curta|descripción corta|kurzbeschreibung|breve descrizione|description courte",
            "quantity": "stock|estoque|inventario|existencias|lager|bestand|magazzino",
            "unit_price": "regular price|preço|preço normal|preço regular|precio normal|regulärer preis|tarif régulier"
            "|tarif normal|prezzo di listino",
            "category": "categories|categorias|categorías|kategorien|catégories|categorie",
            "low_stock_threshold": "low stock amount",
            "cost_price": "cost of goods",
        }
    ),
    tuple(
        (re.compile(pattern.format(f"([1-{MAX_OPTIONS}])")), "option{}_value")
        for pattern in (
            r"attribute {} value\(s\)",
            r"valores do atributo {}",
            r"valor\(es\) del atributo {}",
            r"attribut {} wert\(e\)",
            r"valeur\(s\) de l'attribut {}",
            r"valor[ei] dell'attributo {}",
        )
    ),
    has_category_paths=True,
)
_PRESTASHOP = ShopSystem(
    "prestashop",
    frozenset({ID, "name", "unit_price", "cost_price"}),
    _headers(
        {
            ID: "id|product id",
            "is_active": "active (0/1)",
            "name": "name",
            "category": "categories (x,y,z,...)|categories (x,y,z...)",
            "unit_price": "price tax excl.|price tax excluded|price tax included",
            "cost_price": "wholesale price|cost price",
            "sku": "reference #|reference",
            "supplier": "supplier",
            "barcodes": "ean13|ean-13|upc|isbn",
            "quantity": "quantity",
            "low_stock_threshold": "low stock level",
            "description": "description|short description|summary",
        }
    ),
    has_category_paths=True,
)
_PRESTASHOP_COMBINATIONS = ShopSystem(
    "prestashop_combinations",
    frozenset({PARENT, OPTIONS, "unit_price"}),
    _headers(
        {
            PARENT: "product id",
            OPTIONS: "options (group:value)|value (value:position)",
            "sku": "reference",
            "barcodes": "ean13|ean-13|upc|isbn",
            "cost_price": "wholesale price|cost price",
            "unit_price": "price|impact on price",
            "quantity": "quantity",
        }
    ),
)
PRESTASHOP_SUPPLIERS = ShopSystem(
    "prestashop_suppliers",
    frozenset({"supplier", "short description", "meta-title"}),
    _headers({"supplier": "name"}),
)
_SQUARE = ShopSystem(
    "square",
    frozenset({"name", VARIATION, "unit_price"}),
    _headers(
        {
            "name": "item name",
            VARIATION: "variation name",
            "sku": "sku",
            "description": "description",
            "category": "categories|category|reporting category",
            "unit_price": "price",
            "barcodes": "gtin",
            "cost_price": "default unit cost",
            "supplier": "default vendor name",
        }
    ),
    ((re.compile(r"current quantity .+"), "quantity"), (re.compile(r"stock alert count .+"), "low_stock_threshold")),
    has_category_paths=True,
)
_ODOO = ShopSystem(
    "odoo",
    frozenset({"sku", "name", "unit_price"}),
    _headers(
        {
            "sku": "internal reference|default code",
            "name": "name|product",
            "unit_price": "sales price|list price|lst price|public price",
            "cost_price": "cost|standard price",
            "barcodes": "barcode",
            "category": "product category|categ id|categ id/name",
            "quantity": "quantity on hand|qty available",
            "unit_of_measure": "unit of measure|uom|uom id|uom id/name",
            "is_active": "active",
            "description": "sales description|description sale|description",
            OPTIONS: "variant values|product template variant value ids",
        }
    ),
    has_category_paths=True,
)
SHOP_SYSTEMS = (
    _SHOPIFY,
    _WOOCOMMERCE,
    _PRESTASHOP_COMBINATIONS,
    _PRESTASHOP,
    PRESTASHOP_SUPPLIERS,
    _SQUARE,
    _ODOO,
)
"""In the order of recognition."""


def recognize_system(headers: list[str]) -> ShopSystem:
    """The shop system whose export has these headers; ours, if it is none of the others."""
    keys = {header_key(header) for header in headers}
    for system in SHOP_SYSTEMS:
        if system.signature <= keys | {system.find_field(header) for header in headers}:
            return system
    return STOCKBUDDY
