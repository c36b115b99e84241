"""Transfers on the wire."""

from decimal import Decimal
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from stockbuddy.chassis.fields import Id, RequestBody
from stockbuddy.contracts.stock import TransferState
from stockbuddy.stock.fields import Code, Lot, Note, PositiveQuantity, QuantityNotNegative, Reference, Sku
from stockbuddy.stock.inventory.references import HasProductReference, ProductIdOrSku
from stockbuddy.stock.inventory.warehouses.warehouse_cache import WarehouseReference

MAX_TRANSFER_LINES = 500

Status = Literal["pending", "in_transit", "completed", "cancelled"]
Disposition = Literal["return", "write_off"]


class TransferLineCreate(HasProductReference):
    quantity: PositiveQuantity
    lot: Lot = 0


class TransferCreate(RequestBody):
    """Either `lines`, or the short form: one product and its quantity."""

    from_warehouse_id: Id | None = None
    from_warehouse_code: Code | None = None
    to_warehouse_id: Id | None = None
    to_warehouse_code: Code | None = None
    lines: Annotated[list[TransferLineCreate] | None, Field(min_length=1, max_length=MAX_TRANSFER_LINES)] = None
    product: ProductIdOrSku | None = None
    product_id: Id | None = None
    sku: Sku | None = None
    quantity: PositiveQuantity | None = None
    lot: Lot = 0
    transfer_reference: Reference | None = None
    notes: Note | None = None

    @model_validator(mode="after")
    def names_both_ends(self) -> Self:
        for end in ("from", "to"):
            if (getattr(self, f"{end}_warehouse_id") is None) == (getattr(self, f"{end}_warehouse_code") is None):
                raise ValueError(f"name the warehouse by {end}_warehouse_id or by {end}_warehouse_code")
        return self

    @model_validator(mode="after")
    def has_one_form(self) -> Self:
        named = [value for value in (self.product, self.product_id, self.sku) if value is not None]
        is_short = bool(named) or self.quantity is not None
        if is_short == (self.lines is not None):
            raise ValueError("give either lines, or a product and its quantity")
        if is_short and (len(named) != 1 or self.quantity is None):
            raise ValueError("the short form is one product and its quantity")
        return self

    @property
    def moved(self) -> list[TransferLineCreate]:
        if self.lines is not None:
            return self.lines
        assert self.quantity is not None
        named = {"product": self.product, "product_id": self.product_id, "sku": self.sku}
        return [TransferLineCreate.model_validate({**named, "quantity": self.quantity, "lot": self.lot})]

    @property
    def source(self) -> WarehouseReference | None:
        return self.from_warehouse_id if self.from_warehouse_id is not None else self.from_warehouse_code

    @property
    def destination(self) -> WarehouseReference | None:
        return self.to_warehouse_id if self.to_warehouse_id is not None else self.to_warehouse_code


class TransferResponse(TransferState):
    """A transfer with its lines."""


class ReceiveTransferLine(RequestBody):
    """What has arrived: `received` in good order, `damaged` besides. A product named takes its lines in order."""

    line_id: Id | None = None
    product_id: Id | None = None
    sku: Sku | None = None
    received: QuantityNotNegative = Decimal(0)
    damaged: QuantityNotNegative = Decimal(0)

    @model_validator(mode="after")
    def names_one_line(self) -> Self:
        if sum(value is not None for value in (self.line_id, self.product_id, self.sku)) != 1:
            raise ValueError("name the line by line_id, product_id or sku")
        if self.received + self.damaged == 0:
            raise ValueError("nothing has arrived")
        return self


class ReceiveTransfer(RequestBody):
    """Without `lines`, all that is in transit, in good order."""

    lines: Annotated[list[ReceiveTransferLine] | None, Field(min_length=1, max_length=MAX_TRANSFER_LINES)] = None
    notes: Note | None = None


class CancelTransfer(RequestBody):
    """`disposition` is what becomes of what is in transit: it comes back to the source, or is lost."""

    disposition: Disposition | None = None
