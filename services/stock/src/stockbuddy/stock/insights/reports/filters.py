"""The filters of reports."""

from typing import Any

from pydantic import BaseModel

from stockbuddy.chassis.fields import Id
from stockbuddy.stock.fields import Name


class ReportFilters(BaseModel):
    """Default: all warehouses and categories. `category`: a name; the categories below it are included."""

    warehouse_id: Id | None = None
    category: Name | None = None

    def parameters(self) -> dict[str, Any]:
        return {"warehouse_id": self.warehouse_id, "category": self.category}
