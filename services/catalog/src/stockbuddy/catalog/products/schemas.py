"""Requests and responses of products."""

from datetime import datetime
from typing import Annotated, Any, Self

from pydantic import AfterValidator, AliasChoices, BaseModel, BeforeValidator, Field, StrictBool, model_validator
from pydantic.json_schema import SkipJsonSchema

from stockbuddy.catalog.fields import (
    Barcode,
    MultiLineTextOrBlank,
    SingleLine100,
    SingleLine100OrBlank,
    SingleLine255,
    SingleLine255OrBlank,
)
from stockbuddy.chassis.fields import Id, InvalidValue, Omittable, RequestBody
from stockbuddy.contracts.field_permissions import COST
from stockbuddy.contracts.numbers import Money, Quantity

MAX_BARCODES = 20


def _require_distinct(codes: list[str]) -> list[str]:
    if len(set(codes)) < len(codes):
        raise InvalidValue("barcode_twice", "contains a barcode twice")
    return codes


Price = Annotated[Money, Field(ge=0)]
StockQuantity = Annotated[Quantity, Field(ge=0)]
Barcodes = Annotated[list[Barcode], Field(max_length=MAX_BARCODES), AfterValidator(_require_distinct)]
UNIT_PRICE_ALIASES = AliasChoices("unit_price", "price")
QUANTITY_ALIASES = AliasChoices("quantity", "quantity_in_stock")


def _reject_quantity(_: Any) -> Any:
    raise ValueError("can't be updated: post a movement to /stock-movements, or the counted quantity to /stock-levels")


QuantityOfUpdate = SkipJsonSchema[Annotated[Any, BeforeValidator(_reject_quantity)]]
"""Not a field: rejected with the way to change the stock."""


class _OptionalFields(RequestBody):
    description: Omittable[MultiLineTextOrBlank]
    cost_price: Omittable[Price | None]
    unit_of_measure: Omittable[SingleLine100OrBlank]
    category: Omittable[SingleLine100OrBlank]
    category_id: Omittable[Id | None]
    supplier: Omittable[SingleLine255OrBlank]
    supplier_id: Omittable[Id | None]
    low_stock_threshold: Omittable[StockQuantity | None]
    barcodes: Omittable[Barcodes]
    is_active: Omittable[StrictBool]

    @model_validator(mode="after")
    def reject_name_and_id(self) -> Self:
        for name, reference in (("category", "category_id"), ("supplier", "supplier_id")):
            if getattr(self, name) is not None and getattr(self, reference) is not None:
                raise ValueError(f"{name} and {reference} are alternatives; send only one of them")
        return self


class ProductCreate(_OptionalFields):
    """`price` is an alias of `unit_price`. `quantity` (or `quantity_in_stock`) is the opening stock in the default
    warehouse. `category` and `supplier` are names; one that does not exist is created."""

    name: SingleLine255
    sku: SingleLine100
    unit_price: Price = Field(validation_alias=UNIT_PRICE_ALIASES)
    quantity: Omittable[Annotated[StockQuantity | None, Field(validation_alias=QUANTITY_ALIASES)]]


class ProductUpdate(_OptionalFields):
    """Absent fields keep their values; null clears a nullable field. `price` is an alias of `unit_price`. `category`
    and `supplier` are names; one that does not exist is created. Stock changes by movements only."""

    name: Omittable[SingleLine255]
    sku: Omittable[SingleLine100]
    unit_price: Omittable[Annotated[Price, Field(validation_alias=UNIT_PRICE_ALIASES)]]
    quantity: QuantityOfUpdate = None
    quantity_in_stock: QuantityOfUpdate = None


class RestoreProduct(RequestBody):
    """`sku`: a new SKU, if another product now has the old one."""

    sku: Omittable[SingleLine100]


class SupplierReference(BaseModel):
    id: int
    name: str


class WarehouseStock(BaseModel):
    """`warehouse` is its name; null until the catalog has replicated the warehouse."""

    warehouse_id: int
    warehouse: str | None
    warehouse_code: str | None
    on_hand: Quantity
    reserved: Quantity
    available: Quantity


class ProductListItem(BaseModel):
    """A product in a list. `low_stock_threshold` is the product's own or the system's default."""

    id: int
    sku: str
    name: str
    description: str | None
    unit_price: Money
    cost_price: Annotated[Money | None, COST]
    unit_of_measure: str | None
    barcodes: list[str]
    category_id: int | None
    category: str | None
    supplier_id: int | None
    supplier: SupplierReference | None
    owner_id: int | None
    is_active: bool
    image_url: str | None
    version: int
    created_at: datetime
    updated_at: datetime
    deleted_at: datetime | None
    quantity_in_stock: Quantity
    available: Quantity
    low_stock_threshold: Quantity


class ProductResponse(ProductListItem):
    """A product with its stock per warehouse."""

    stock: list[WarehouseStock]
