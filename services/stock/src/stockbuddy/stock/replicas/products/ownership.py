"""Permission to move stock of a product: of one's own ones, or of all."""

from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.chassis.access.permissions import Permission
from stockbuddy.chassis.http.tokens import Principal
from stockbuddy.stock.errors import ProductForbidden
from stockbuddy.stock.replicas.products.model import ProductReplica
from stockbuddy.stock.replicas.products.queries import fetch_owner_ids


def require_owner(caller: Principal, product: ProductReplica) -> None:
    """Raises ProductForbidden."""
    if not caller.may(Permission.STOCK_MOVE_ANY) and product.owner_id != caller.user_id:
        raise ProductForbidden()


async def require_owner_of(session: AsyncSession, caller: Principal, product_ids: Sequence[int]) -> None:
    """The same for several products, deleted ones included. Raises ProductForbidden."""
    if not caller.may(Permission.STOCK_MOVE_ANY) and await fetch_owner_ids(session, product_ids) != {caller.user_id}:
        raise ProductForbidden()
