"""How bodies name products and warehouses: by id, or by SKU and code in its place."""

from typing import Annotated, Self

from pydantic import Field, model_validator

from stockbuddy.chassis.fields import Id, RequestBody
from stockbuddy.stock.fields import Code, Sku
from stockbuddy.stock.inventory.warehouses.warehouse_cache import WarehouseReference
from stockbuddy.stock.replicas.products.model import ProductReference

ProductIdOrSku = Annotated[Id | Sku, Field(union_mode="smart")]


class HasProductReference(RequestBody):
    """Exactly one of `product_id`, `sku` and the short `product`, which is either."""

    product_id: Id | None = None
    sku: Sku | None = None
    product: ProductIdOrSku | None = None

    @model_validator(mode="after")
    def names_one_product(self) -> Self:
        given = [name for name in ("product_id", "sku", "product") if getattr(self, name) is not None]
        if len(given) != 1:
            raise ValueError("name the product by product_id or by sku")
        return self

    @property
    def product_reference(self) -> ProductReference:
        if self.product_id is not None:
            return self.product_id
        reference = self.sku if self.sku is not None else self.product
        assert reference is not None
        return reference


class HasWarehouseReference(RequestBody):
    """At most one of `warehouse_id` and `warehouse_code`; none is the default warehouse."""

    warehouse_id: Id | None = None
    warehouse_code: Code | None = None

    @model_validator(mode="after")
    def names_one_warehouse(self) -> Self:
        if self.warehouse_id is not None and self.warehouse_code is not None:
            raise ValueError("name the warehouse by warehouse_id or by warehouse_code")
        return self

    @property
    def warehouse_reference(self) -> WarehouseReference | None:
        return self.warehouse_id if self.warehouse_id is not None else self.warehouse_code
