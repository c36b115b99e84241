"""The limit of the discounts that a caller may give on the list price: by a lower price, a discount, or both."""

from collections.abc import Sequence
from decimal import ROUND_DOWN, Decimal
from typing import Protocol

from stockbuddy.chassis.access.permissions import Permission
from stockbuddy.chassis.http.tokens import Principal
from stockbuddy.stock.documents.pricing import minor_unit
from stockbuddy.stock.errors import DiscountForbidden
from stockbuddy.stock.replicas.products.model import ProductReplica

NONE = Decimal(0)
HUNDRED = Decimal(100)


class SoldLine(Protocol):
    @property
    def product(self) -> ProductReplica: ...
    @property
    def quantity(self) -> Decimal: ...
    @property
    def total(self) -> Decimal: ...


def require_discounts(caller: Principal, lines: Sequence[SoldLine]) -> None:
    """Raises DiscountForbidden. Of an amount between two payable ones the lower one is allowed."""
    limit = caller.max_discount_percent if caller.may(Permission.SALE_DISCOUNT) else NONE
    if limit is None:
        return
    for line in lines:
        lowest = line.quantity * line.product.unit_price * (HUNDRED - limit) / HUNDRED
        if line.total < lowest.quantize(minor_unit(line.product.currency), ROUND_DOWN):
            raise DiscountForbidden(limit)
