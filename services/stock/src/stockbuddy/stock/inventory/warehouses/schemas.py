"""Warehouses on the wire."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, StrictBool

from stockbuddy.stock.fields import Body, Code, Name, Note

Kind = Literal["store", "warehouse"]
NegativeStock = Literal["reject", "allow"]


class NewWarehouse(Body):
    name: Name
    code: Code
    address: Note | None = None
    kind: Kind = "warehouse"
    negative_stock: NegativeStock | None = None
    is_default: StrictBool = False


class WarehouseChanges(Body):
    """What is left out stays as it is."""

    name: Name | None = None
    code: Code | None = None
    address: Note | None = None
    kind: Kind | None = None
    negative_stock: NegativeStock | None = None
    is_default: StrictBool | None = None


class WarehouseView(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: int
    code: str
    name: str
    address: str | None
    kind: str
    negative_stock: str | None
    is_default: bool
    version: int
    created_at: datetime
    updated_at: datetime
