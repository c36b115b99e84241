"""What clients send and see of products."""

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any

from pydantic import AliasChoices, BaseModel, ConfigDict, Field, StrictBool, field_validator, model_validator

from stockbuddy.catalog.wording import Code, Line, ProseOrBlank, Reference, ShortLine, ShortLineOrBlank
from stockbuddy.contracts.numbers import Money, Quantity

Price = Annotated[Money, Field(ge=0)]
Amount = Annotated[Quantity, Field(ge=0)]
Barcodes = Annotated[list[Code], Field(max_length=20)]


class _Fields(BaseModel):
    model_config = ConfigDict(extra="forbid")

    description: ProseOrBlank = None
    cost_price: Price | None = None
    unit_of_measure: ShortLineOrBlank = None
    category: ShortLineOrBlank = None
    category_id: Reference | None = None
    supplier_id: Reference | None = None
    low_stock_threshold: Amount | None = None

    @model_validator(mode="after")
    def name_one_category(self) -> "_Fields":
        if self.category is not None and self.category_id is not None:
            raise ValueError("category and category_id say the same thing; give one of them")
        return self

    def given(self) -> dict[str, Any]:
        """What the client said, as Python values (a dump would turn amounts into text)."""
        return {name: getattr(self, name) for name in self.model_fields_set}


def _without_repetition(codes: list[str]) -> list[str]:
    if len(set(codes)) < len(codes):
        raise ValueError("a barcode is given twice")
    return codes


class NewProduct(_Fields):
    """`price` is another word for `unit_price`; `quantity` opens the stock in the default warehouse."""

    name: Line
    sku: ShortLine
    unit_price: Price = Field(validation_alias=AliasChoices("unit_price", "price"))
    barcodes: Barcodes = []
    is_active: StrictBool = True
    quantity: Amount | None = None

    _barcodes_differ = field_validator("barcodes")(_without_repetition)


class ProductChange(_Fields):
    """What is left out stays as it is; null clears what may be empty."""

    name: Line = ""
    sku: ShortLine = ""
    unit_price: Price = Field(default=Decimal(0), validation_alias=AliasChoices("unit_price", "price"))
    barcodes: Barcodes = []
    is_active: StrictBool = True

    _barcodes_differ = field_validator("barcodes")(_without_repetition)


class SupplierName(BaseModel):
    id: int
    name: str


class WarehouseStock(BaseModel):
    """`warehouse` is its name; null as long as the catalogue has not heard of it."""

    warehouse_id: int
    warehouse: str | None
    warehouse_code: str | None
    on_hand: Quantity
    reserved: Quantity
    available: Quantity


class ListedProduct(BaseModel):
    """A product in a list. `low_stock_threshold` is its own or, if it has none, the default."""

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
    supplier: SupplierName | None
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


class ShownProduct(ListedProduct):
    """A product with its stock per warehouse."""

    stock: list[WarehouseStock]
