"""Requests and responses of products."""

from datetime import datetime
from typing import Annotated, Self

from pydantic import AfterValidator, AliasChoices, BaseModel, Field, StrictBool, model_validator

from stockbuddy.catalog.fields import Barcode, MultiLineTextOrBlank, SingleLine100, SingleLine100OrBlank, SingleLine255
from stockbuddy.chassis.fields import Id, Omittable, RequestBody
from stockbuddy.contracts.numbers import Money, Quantity

MAX_BARCODES = 20


def _require_distinct(codes: list[str]) -> list[str]:
    if len(set(codes)) < len(codes):
        raise ValueError("contains a barcode twice")
    return codes


Price = Annotated[Money, Field(ge=0)]
StockQuantity = Annotated[Quantity, Field(ge=0)]
Barcodes = Annotated[list[Barcode], Field(max_length=MAX_BARCODES), AfterValidator(_require_distinct)]
UNIT_PRICE_ALIASES = AliasChoices("unit_price", "price")


class _OptionalFields(RequestBody):
    description: Omittable[MultiLineTextOrBlank]
    cost_price: Omittable[Price | None]
    unit_of_measure: Omittable[SingleLine100OrBlank]
    category: Omittable[SingleLine100OrBlank]
    category_id: Omittable[Id | None]
    supplier_id: Omittable[Id | None]
    low_stock_threshold: Omittable[StockQuantity | None]
    barcodes: Omittable[Barcodes]
    is_active: Omittable[StrictBool]

    @model_validator(mode="after")
    def reject_two_categories(self) -> Self:
        if self.category is not None and self.category_id is not None:
            raise ValueError("category and category_id are alternatives; send only one of them")
        return self


class ProductCreate(_OptionalFields):
    """`price` is an alias of `unit_price`. `quantity` is the opening stock in the default warehouse."""

    name: SingleLine255
    sku: SingleLine100
    unit_price: Price = Field(validation_alias=UNIT_PRICE_ALIASES)
    quantity: Omittable[StockQuantity | None]


class ProductUpdate(_OptionalFields):
    """Absent fields keep their values; null clears a nullable field."""

    name: Omittable[SingleLine255]
    sku: Omittable[SingleLine100]
    unit_price: Omittable[Annotated[Price, Field(validation_alias=UNIT_PRICE_ALIASES)]]


class RestoreProduct(RequestBody):
    """`sku`: a new one, if another product has the old one by now."""

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
    cost_price: Money | None
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
