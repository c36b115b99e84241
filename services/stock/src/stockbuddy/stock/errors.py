"""The problems of the stock service. The first line of a docstring is the detail that clients get."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Annotated, Any

from pydantic import Field

from stockbuddy.chassis.http.errors import Conflict, Forbidden, NotFound, Problem, Unprocessable
from stockbuddy.contracts.numbers import Quantity
from stockbuddy.stock.problem_members import ExcessLine, NamedCustomer, OpenDocument, Shortage


class InsufficientStock(Conflict):
    """Insufficient stock; nothing was changed."""

    code = "insufficient_stock"
    members = {"shortages": Annotated[list[Shortage], Field(description="Every level that lacks stock.")]}

    def __init__(self, shortages: Sequence[dict[str, Any]]) -> None:
        super().__init__(shortages=list(shortages))


class StaleQuantity(Conflict):
    """The level no longer has the expected quantity."""

    code = "stale_quantity"
    members = {"current": Annotated[Quantity, Field(description="The quantity that the level has now.")]}

    def __init__(self, current: Any) -> None:
        super().__init__(current=current)


class QuantityOutOfRange(Unprocessable):
    """The quantity or the value of the level would exceed the largest that can be stored."""

    code = "quantity_out_of_range"


class AlreadyReversed(Conflict):
    """This movement has been reversed already."""

    code = "already_reversed"


class NotReversible(Conflict):
    """This movement belongs to a document, or is itself a reversal; void or cancel the document instead."""

    code = "not_reversible"


class UnknownProduct(NotFound):
    """There is no such product."""

    code = "unknown_product"
    members = {
        "products": Annotated[list[int | str], Field(default_factory=list, description="Ids or SKUs that are unknown.")]
    }

    def __init__(self, references: Sequence[int | str]) -> None:
        names = ", ".join(str(reference) for reference in references)
        super().__init__(f"There is no such product: {names}.", products=list(references))


class ProductInactive(Conflict):
    """The product is inactive: it is neither sold nor purchased."""

    code = "product_inactive"
    members = {"skus": Annotated[list[str], Field(description="SKUs of the inactive products.")]}

    def __init__(self, skus: Sequence[str]) -> None:
        super().__init__(f"These products are inactive: {', '.join(skus)}.", skus=list(skus))


class AmbiguousCustomer(Conflict):
    """Several customers have this name; refer to one by id."""

    code = "ambiguous_customer"
    members = {"customers": Annotated[list[NamedCustomer], Field(description="The customers with this name.")]}

    def __init__(self, customers: Sequence[dict[str, Any]]) -> None:
        super().__init__(customers=list(customers))


class UnknownWarehouse(NotFound):
    """There is no such warehouse."""

    code = "unknown_warehouse"


class UnknownCustomer(NotFound):
    """There is no such customer."""

    code = "unknown_customer"


class ErasedCustomer(Conflict):
    """The personal data of this customer was erased; the record cannot be changed or used any more."""

    code = "customer_erased"


class UnknownSupplier(NotFound):
    """There is no such supplier."""

    code = "unknown_supplier"


class WarehouseForbidden(Forbidden):
    """You may not change the stock of this warehouse."""

    code = "warehouse_forbidden"


class ProductForbidden(Forbidden):
    """You may change the stock of your own products only."""

    code = "not_owner"


class ReservedShareExceeded(Forbidden):
    """Salespersons may not reserve so large a share of the stock of another owner's product."""

    code = "reserved_share_exceeded"
    members = {
        "max_reserved_share": Annotated[float, Field(description="The largest share that is allowed, from 0 to 1.")]
    }

    def __init__(self, share: Decimal) -> None:
        super().__init__(max_reserved_share=float(share))


class SaleForbidden(Forbidden):
    """You may void your own sales only."""

    code = "not_seller"


class DiscountForbidden(Forbidden):
    """The discount on the list price exceeds what your role allows."""

    code = "discount_forbidden"
    members = {
        "max_discount_percent": Annotated[float, Field(description="The largest discount that the role allows.")]
    }

    def __init__(self, percent: Decimal) -> None:
        super().__init__(max_discount_percent=float(percent))


class ReservationForbidden(Forbidden):
    """You may end or change your own reservations only."""

    code = "not_reserver"


class InvalidState(Conflict):
    """The status of the document does not allow this."""

    code = "invalid_state"
    members = {
        "state": Annotated[str, Field(description="The current status of the document.")],
        "allowed": Annotated[list[str], Field(description="The statuses in which this is possible.")],
    }

    def __init__(self, document: str, status: str, allowed: Sequence[str]) -> None:
        states = ", ".join(allowed).replace("_", " ")
        detail = f"The {document} is {status.replace('_', ' ')}; allowed: {states}."
        super().__init__(detail, state=status, allowed=list(allowed))


class ConcurrentUpdate(Conflict):
    """Concurrent requests kept changing the document; try again."""

    code = "concurrent_update"


class ReservationAlreadyExpired(Conflict):
    """The reservation has expired; its stock is available to others."""

    code = "reservation_expired"


class SeveralWarehouses(Unprocessable):
    """The reservation has stock in several warehouses, but a sale takes it from one."""

    code = "several_warehouses"


class WarehouseCodeTaken(Conflict):
    """Another warehouse has this code."""

    code = "duplicate_code"


class WarehouseInUse(Conflict):
    """The warehouse has stock or open documents."""

    code = "warehouse_in_use"
    members = {
        "documents": Annotated[
            list[OpenDocument], Field(description="The open documents, at most 100; empty if there is only stock.")
        ]
    }

    def __init__(self, documents: Sequence[dict[str, Any]]) -> None:
        super().__init__(documents=list(documents))


class DefaultWarehouseRequired(Conflict):
    """There must be a default warehouse; make another one the default instead."""

    code = "default_warehouse_required"


class ExcessQuantity(Conflict):
    """A quantity exceeds what is open in the document."""

    code = "excess_quantity"
    members = {"lines": Annotated[list[ExcessLine], Field(description="Every line whose quantity is too large.")]}

    def __init__(self, excesses: Sequence[dict[str, Any]]) -> None:
        super().__init__(lines=list(excesses))


class ReturnExceedsSale(ExcessQuantity):
    """The quantity exceeds what was sold and not yet returned."""

    code = "return_exceeds_sale"


class TransferExceeded(ExcessQuantity):
    """The quantity exceeds what is in transit."""

    code = "exceeds_in_transit"


class OverReceipt(ExcessQuantity):
    """The quantity exceeds what is outstanding; set `allow_over_receipt` to accept it."""

    code = "over_receipt"


class SaleNotReturnable(Conflict):
    """The sale has been returned completely, or voided."""

    code = "sale_not_returnable"


class NotInSale(Unprocessable):
    """The sale has no such line."""

    code = "not_in_sale"


class NotInTransfer(Unprocessable):
    """The transfer has no such line."""

    code = "not_in_transfer"


class NotInPurchaseOrder(Unprocessable):
    """The purchase order has no such line."""

    code = "not_in_purchase_order"


class ReorderRuleExists(Conflict):
    """The product already has a reorder rule for this warehouse."""

    code = "duplicate_rule"


POSTING: tuple[type[Problem], ...] = (UnknownWarehouse, WarehouseForbidden, QuantityOutOfRange, ConcurrentUpdate)
"""What every operation that posts to the ledger can raise."""


class TooManyReportSchedules(Conflict):
    """A user has at most 20 report schedules: delete one."""

    code = "too_many_report_schedules"


class ReportRunning(Conflict):
    """The report is being produced: wait for its end."""

    code = "report_running"


class NoReportResult(NotFound):
    """The schedule has no result: it has not run yet, or the result has expired."""

    code = "no_report_result"
