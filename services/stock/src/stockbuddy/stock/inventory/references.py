"""References of request bodies to products and warehouses: by id, or by SKU and code instead."""

from typing import Annotated, Self

from pydantic import Field, model_validator

from stockbuddy.chassis.fields import Id, RequestBody
from stockbuddy.stock.fields import Code, Sku
from stockbuddy.stock.inventory.warehouses.warehouse_cache import WarehouseReference
from stockbuddy.stock.replicas.products.model import ProductReference

ProductIdOrSku = Annotated[Id | Sku, Field(union_mode="smart")]


class HasProductReference(RequestBody):
    """Exactly one of `product_id`, `sku`, and the short form `product`, which takes either."""

    product_id: Id | None = None
    sku: Sku | None = None
    product: ProductIdOrSku | None = None

    @model_validator(mode="after")
    def require_one_product_reference(self) -> Self:
        references = (self.product_id, self.sku, self.product)
        if sum(reference is not None for reference in references) != 1:
            raise ValueError("exactly one of product_id, sku and product is required")
        return self

    @property
    def product_reference(self) -> ProductReference:
        return next(r for r in (self.product_id, self.sku, self.product) if r is not None)


class HasWarehouseReference(RequestBody):
    """At most one of `warehouse_id` and `warehouse_code`; by default, the default warehouse."""

    warehouse_id: Id | None = None
    warehouse_code: Code | None = None

    @model_validator(mode="after")
    def require_at_most_one_warehouse_reference(self) -> Self:
        if self.warehouse_id is not None and self.warehouse_code is not None:
            raise ValueError("warehouse_id and warehouse_code exclude each other")
        return self

    @property
    def warehouse_reference(self) -> WarehouseReference | None:
        return self.warehouse_id if self.warehouse_id is not None else self.warehouse_code
