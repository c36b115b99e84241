"""Whose products a caller may move: managers all, a salesperson their own."""

from stockbuddy.chassis.identity import Principal
from stockbuddy.stock.errors import NotYourProduct
from stockbuddy.stock.products.queries import KnownProduct


def require_owner(caller: Principal, product: KnownProduct) -> None:
    if not caller.is_manager and product.owner_id != caller.user_id:
        raise NotYourProduct()
