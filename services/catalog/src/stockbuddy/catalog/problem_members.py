"""Members of the catalog's problems, in addition to those that every problem has."""

from pydantic import BaseModel, Field

from stockbuddy.contracts.numbers import Quantity


class OtherProduct(BaseModel):
    """The product that has the SKU or barcode."""

    id: int
    sku: str
    name: str


class StockInWarehouse(BaseModel):
    """What a warehouse has of the product."""

    warehouse_id: int
    warehouse: str | None
    on_hand: Quantity
    reserved: Quantity


class WaitingDocument(BaseModel):
    """A document that is not completed and contains the product."""

    document: str = Field(description="Its kind: `purchase_order` or `stock_transfer`.")
    id: int
    number: str
