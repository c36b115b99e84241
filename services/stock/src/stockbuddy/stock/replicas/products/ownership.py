"""Whose products a caller may move: managers all, a salesperson their own."""

from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.chassis.http.tokens import Principal
from stockbuddy.stock.errors import NotYourProduct
from stockbuddy.stock.replicas.products.queries import ProductReplica, owners_of


def require_owner(caller: Principal, product: ProductReplica) -> None:
    if not caller.is_manager and product.owner_id != caller.user_id:
        raise NotYourProduct()


async def require_owner_of(session: AsyncSession, caller: Principal, product_ids: Sequence[int]) -> None:
    """Of all of them, deleted ones included. Raises NotYourProduct."""
    if not caller.is_manager and await owners_of(session, product_ids) != {caller.user_id}:
        raise NotYourProduct()
