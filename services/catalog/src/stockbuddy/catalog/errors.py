"""Errors of the catalog."""

from typing import Annotated, Any

from pydantic import Field

from stockbuddy.catalog.problem_members import OtherProduct, StockInWarehouse, WaitingDocument
from stockbuddy.chassis.http.errors import Conflict, Forbidden, NotFound, Problem, Unavailable, Unprocessable

_HOLDER: dict[str, Any] = {
    "product": Annotated[OtherProduct | None, Field(None, description="The other product, if it is known.")]
}


class UnknownProduct(NotFound):
    """There is no such product."""

    code = "unknown_product"


class UnknownCategory(NotFound):
    """There is no such category."""

    code = "unknown_category"


class UnknownSupplier(NotFound):
    """There is no such supplier."""

    code = "unknown_supplier"


class NotOwner(Forbidden):
    """Salespeople may change only what they created."""

    code = "not_owner"


class WarehouseForbidden(Forbidden):
    """You may not change the stock of the default warehouse, in which `quantity` opens stock."""

    code = "warehouse_forbidden"


class DuplicateSku(Conflict):
    """Another product has this SKU."""

    code = "duplicate_sku"
    members = _HOLDER


class DuplicateBarcode(Conflict):
    """Another product has one of these barcodes."""

    code = "duplicate_barcode"
    members = _HOLDER


class AmbiguousSupplier(Conflict):
    """Several suppliers have this name."""

    code = "ambiguous_supplier"
    members = {"supplier_ids": Annotated[list[int], Field(description="The suppliers with this name.")]}


class DuplicateCategory(Conflict):
    """Another category has this name."""

    code = "duplicate_category"


class ProductInUse(Conflict):
    """A product with stock on hand or reserved, or in open documents, can't be deleted."""

    code = "product_in_use"
    members = {
        "stock": Annotated[list[StockInWarehouse], Field(description="The warehouses with stock of the product.")],
        "documents": Annotated[list[WaitingDocument], Field(description="Documents with the product, at most 100.")],
    }


class NotDeleted(Conflict):
    """The product is not deleted; only deleted products can be restored."""

    code = "not_deleted"


class InUse(Conflict):
    """It can't be deleted while it is in use."""

    code = "in_use"


class CategoryCycle(Conflict):
    """A category can't be its own ancestor."""

    code = "category_cycle"


class NoImage(NotFound):
    """This product has no image."""

    code = "no_image"


class UnsupportedImage(Problem):
    """The file is not a PNG, JPEG or WebP image."""

    status = 415
    code = "unsupported_image"


class BrokenImage(Unprocessable):
    """The image is damaged and can't be decoded."""

    code = "broken_image"


class NoBarcode(NotFound):
    """This product has no printable barcode."""

    code = "no_barcode"


class ImageStoreUnavailable(Unavailable):
    """The image store is unavailable."""


class UnreadableFile(Unprocessable):
    """The file can't be read as a table of products."""

    code = "unreadable_file"


class UnknownImport(NotFound):
    """There is no such import."""

    code = "unknown_import"
