"""Request and response models of transfers."""

from decimal import Decimal
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from stockbuddy.chassis.fields import Id, InvalidValue, RequestBody
from stockbuddy.contracts.stock import TransferState
from stockbuddy.stock.documents.allocation import HasLineReference
from stockbuddy.stock.fields import Code, Lot, Note, PositiveQuantity, QuantityNotNegative, Reference, Sku
from stockbuddy.stock.inventory.references import HasProductReference, ProductIdOrSku
from stockbuddy.stock.inventory.warehouses.warehouse_cache import WarehouseReference
from stockbuddy.stock.periods import PeriodFilter

MAX_TRANSFER_LINES = 500

TransferStatus = Literal["pending", "in_transit", "completed", "cancelled"]
Disposition = Literal["return", "write_off"]


class TransferFilter(PeriodFilter):
    """`warehouse_id` is either end; `from` and `to` select `created_at` in a half-open interval."""

    status: TransferStatus | None = None
    product_id: Id | None = None
    warehouse_id: Id | None = None
    from_warehouse_id: Id | None = None
    to_warehouse_id: Id | None = None
    transfer_reference: Reference | None = None
    sort_by: Literal["created_desc", "created_asc"] = "created_desc"


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
    def require_both_warehouses(self) -> Self:
        for end in ("from", "to"):
            if (getattr(self, f"{end}_warehouse_id") is None) == (getattr(self, f"{end}_warehouse_code") is None):
                raise ValueError(f"exactly one of {end}_warehouse_id and {end}_warehouse_code is required")
        return self

    @model_validator(mode="after")
    def require_one_form(self) -> Self:
        references = [value for value in (self.product, self.product_id, self.sku) if value is not None]
        is_short = bool(references) or self.quantity is not None
        if is_short == (self.lines is not None):
            raise ValueError("either lines, or a product and its quantity, are required")
        if is_short and (len(references) != 1 or self.quantity is None):
            raise ValueError("the short form takes exactly one of product_id, sku and product, and a quantity")
        return self

    @property
    def transferred_lines(self) -> list[TransferLineCreate]:
        if self.lines is not None:
            return self.lines
        assert self.quantity is not None
        return [
            TransferLineCreate(
                product=self.product,
                product_id=self.product_id,
                sku=self.sku,
                quantity=self.quantity,
                lot=self.lot,
            )
        ]

    @property
    def source(self) -> WarehouseReference | None:
        return self.from_warehouse_id if self.from_warehouse_id is not None else self.from_warehouse_code

    @property
    def destination(self) -> WarehouseReference | None:
        return self.to_warehouse_id if self.to_warehouse_id is not None else self.to_warehouse_code


class TransferResponse(TransferState):
    """A transfer with its lines."""


class ReceiveTransferLine(HasLineReference):
    """What was received of the selected lines: `received` excludes `damaged`."""

    received: QuantityNotNegative = Decimal(0)
    damaged: QuantityNotNegative = Decimal(0)

    @model_validator(mode="after")
    def require_quantity(self) -> Self:
        if self.received + self.damaged == 0:
            raise InvalidValue("nothing_received", "received and damaged must not both be zero")
        return self


class ReceiveTransfer(RequestBody):
    """Without `lines`, everything in transit, undamaged."""

    lines: Annotated[list[ReceiveTransferLine] | None, Field(min_length=1, max_length=MAX_TRANSFER_LINES)] = None
    notes: Note | None = None


class CancelTransfer(RequestBody):
    """`disposition` of stock in transit: returned to the source, or written off."""

    disposition: Disposition | None = None
