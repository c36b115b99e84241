"""Request and response models of warehouses."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, StrictBool

from stockbuddy.chassis.fields import Omittable, RequestBody
from stockbuddy.chassis.http.pagination import PageQuery
from stockbuddy.stock.fields import Code, Name, Note, Search

WarehouseKind = Literal["store", "warehouse"]
NegativeStock = Literal["reject", "allow"]


class WarehouseCreate(RequestBody):
    name: Name
    code: Code
    address: Note | None = None
    kind: WarehouseKind = "warehouse"
    negative_stock: NegativeStock | None = None
    is_default: StrictBool = False


class WarehouseUpdate(RequestBody):
    """Omitted fields keep their value."""

    name: Omittable[Name]
    code: Omittable[Code]
    address: Omittable[Note | None]
    kind: Omittable[WarehouseKind]
    negative_stock: Omittable[NegativeStock | None]
    is_default: Omittable[StrictBool]


class WarehouseFilter(PageQuery):
    """`search`: part of the name, or the code."""

    search: Search | None = None
    kind: WarehouseKind | None = None


class WarehouseResponse(BaseModel):
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
