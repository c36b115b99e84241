"""What can go wrong here: the glossary of the stock service's refusals."""

from collections.abc import Sequence
from typing import Any

from stockbuddy.chassis.http.errors import Conflict, Forbidden, NotFound, Unprocessable


class InsufficientStock(Conflict):
    """There is not enough stock; nothing was changed."""

    code = "insufficient_stock"

    def __init__(self, shortages: Sequence[dict[str, Any]]) -> None:
        super().__init__(shortages=list(shortages))


class StaleQuantity(Conflict):
    """The level no longer holds the expected quantity."""

    code = "stale_quantity"

    def __init__(self, current: Any) -> None:
        super().__init__(current=current)


class QuantityOutOfRange(Unprocessable):
    """The level would grow beyond what can be recorded."""

    code = "quantity_out_of_range"


class AlreadyReversed(Conflict):
    """This movement has been reversed already."""

    code = "already_reversed"


class NotReversible(Conflict):
    """This movement belongs to a document, or is a reversal itself; undo the document instead."""

    code = "not_reversible"


class UnknownProduct(NotFound):
    """There is no such product."""

    code = "unknown_product"

    def __init__(self, references: Sequence[int | str]) -> None:
        names = ", ".join(str(reference) for reference in references)
        super().__init__(f"There is no such product: {names}.", products=list(references))


class UnknownWarehouse(NotFound):
    """There is no such warehouse."""

    code = "unknown_warehouse"


class UnknownCustomer(NotFound):
    """There is no such customer."""

    code = "unknown_customer"


class WarehouseForbidden(Forbidden):
    """You may not change the stock of this warehouse."""

    code = "warehouse_forbidden"


class ProductForbidden(Forbidden):
    """You may move stock of your own products only."""

    code = "not_owner"


class InvalidState(Conflict):
    """The status of the document does not allow this."""

    code = "invalid_state"

    def __init__(self, document: str, status: str, allowed: Sequence[str]) -> None:
        states = ", ".join(allowed).replace("_", " ")
        detail = f"The {document} is {status.replace('_', ' ')}; allowed: {states}."
        super().__init__(detail, state=status, allowed=list(allowed))


class ReservationAlreadyExpired(Conflict):
    """The reservation's time is up; it holds nothing any more."""

    code = "reservation_expired"


class SeveralWarehouses(Unprocessable):
    """A sale is made in one warehouse, and this reservation holds stock in several."""

    code = "several_warehouses"


class TransferExceeded(Conflict):
    """More would arrive than is in transit."""

    code = "exceeds_in_transit"

    def __init__(self, excesses: Sequence[dict[str, Any]]) -> None:
        super().__init__(lines=list(excesses))


class NotInTransfer(Unprocessable):
    """The transfer has no such line."""

    code = "not_in_transfer"


class WarehouseCodeTaken(Conflict):
    """Another warehouse has this code."""

    code = "duplicate_code"


class WarehouseInUse(Conflict):
    """The warehouse still holds stock, or some is on its way to it."""

    code = "warehouse_in_use"


class DefaultWarehouseRequired(Conflict):
    """There must be a default warehouse; make another one the default instead."""

    code = "default_warehouse_required"


class ReturnExceedsSale(Conflict):
    """More would be returned than was sold and not returned yet."""

    code = "return_exceeds_sale"

    def __init__(self, excesses: Sequence[dict[str, Any]]) -> None:
        super().__init__(lines=list(excesses))


class SaleNotReturnable(Conflict):
    """Nothing of this sale can be returned any more."""

    code = "sale_not_returnable"


class NotInSale(Unprocessable):
    """The sale has no such line."""

    code = "not_in_sale"


class ConcurrentUpdate(Conflict):
    """The document changed too often while this was being decided; try again."""

    code = "concurrent_update"


class UnknownSupplier(NotFound):
    """There is no such supplier."""

    code = "unknown_supplier"


class OverReceipt(Conflict):
    """More would be received than was ordered and is still to come; `allow_over_receipt` takes it in all the same."""

    code = "over_receipt"

    def __init__(self, excesses: Sequence[dict[str, Any]]) -> None:
        super().__init__(lines=list(excesses))


class NotInPurchaseOrder(Unprocessable):
    """The purchase order has no such line."""

    code = "not_in_purchase_order"


class ReorderRuleExists(Conflict):
    """The product has a reorder rule for this warehouse already."""

    code = "duplicate_rule"
