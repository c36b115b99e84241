"""Whether products are active: inactive ones are neither sold nor purchased; all other movements remain possible."""

from collections.abc import Collection, Iterable
from datetime import datetime

from stockbuddy.stock.errors import ProductInactive
from stockbuddy.stock.replicas.products.model import ProductReplica


def require_active(
    products: Iterable[ProductReplica], *, at: datetime | None = None, except_ids: Collection[int] = ()
) -> None:
    """`at`: when the document occurred, if not now; `except_ids`: the products of a document that is to be completed.
    Raises ProductInactive."""
    inactive = [
        product.sku
        for product in products
        if product.id not in except_ids
        and product.inactive_since is not None
        and (at is None or at >= product.inactive_since)
    ]
    if inactive:
        raise ProductInactive(inactive)
