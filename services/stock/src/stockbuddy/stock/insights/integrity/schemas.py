"""Response models of the reconciliation."""

from typing import Literal

from pydantic import BaseModel, ConfigDict

from stockbuddy.stock.fields import QuantitySum


class Difference(BaseModel):
    """`expected`: computed from movements (`reserved`: from reservations and pending transfers); `found`: stored."""

    model_config = ConfigDict(from_attributes=True)

    what: Literal["on_hand", "balance", "reserved"]
    product_id: int
    warehouse_id: int
    lot: int
    expected: QuantitySum
    found: QuantitySum


class IntegrityResponse(BaseModel):
    ok: bool
    differences: list[Difference]
