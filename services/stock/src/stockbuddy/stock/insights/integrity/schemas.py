"""The proof on the wire."""

from typing import Literal

from pydantic import BaseModel, ConfigDict

from stockbuddy.stock.fields import QuantitySum


class Difference(BaseModel):
    """`expected` follows from the ledger (or, for `reserved`, from the holds); `found` is what is kept."""

    model_config = ConfigDict(from_attributes=True)

    what: Literal["on_hand", "balance", "reserved"]
    product_id: int
    warehouse_id: int
    lot: int
    expected: QuantitySum
    found: QuantitySum


class IntegrityView(BaseModel):
    ok: bool
    differences: list[Difference]
