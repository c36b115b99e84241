"""Members of stock's problems, in addition to those that every problem has."""

from pydantic import BaseModel, Field

from stockbuddy.contracts.numbers import Quantity


class Shortage(BaseModel):
    """A level that lacks stock for the request."""

    product_id: int
    sku: str
    warehouse_id: int
    lot: int
    requested: Quantity = Field(description="The sum that the request takes from this level, over all its lines.")
    available: Quantity = Field(description="What is on hand and not reserved.")


class ExcessLine(BaseModel):
    """A line whose quantity is too large, with the reference that the request used, and the limit that applies."""

    line_id: int | None = None
    product_id: int | None = None
    sku: str | None = None
    requested: Quantity | None = Field(None, description="The quantity in the request.")
    returnable: Quantity | None = Field(None, description="Of a return: what was sold and not yet returned.")
    receivable: Quantity | None = Field(None, description="Of a purchase order: what is outstanding.")
    in_transit: Quantity | None = Field(None, description="Of a transfer: what is on its way.")
    too_much: Quantity | None = Field(None, description="Of a transfer: by how much the request exceeds it.")


class OpenDocument(BaseModel):
    """A document that is not completed."""

    document: str = Field(description="Its kind: `stock_transfer`, for instance.")
    id: int
    number: str


class NamedCustomer(BaseModel):
    """One of several customers with the same name."""

    id: int
    name: str
