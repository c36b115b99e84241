"""What can go wrong in the catalogue."""

from stockbuddy.chassis.http.errors import Conflict, Forbidden, NotFound, Problem, Unavailable, Unprocessable


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
    """Salespeople may change only what they created themselves."""

    code = "not_owner"


class DuplicateSku(Conflict):
    """Another product has this SKU."""

    code = "duplicate_sku"


class DuplicateBarcode(Conflict):
    """Another product has one of these barcodes."""

    code = "duplicate_barcode"


class DuplicateCategory(Conflict):
    """Another category has this name."""

    code = "duplicate_category"


class NotDeleted(Conflict):
    """Only what was deleted can be restored."""

    code = "not_deleted"


class InUse(Conflict):
    """It can't be deleted while it is in use."""

    code = "in_use"


class CategoryCycle(Conflict):
    """A category can't stand below itself."""

    code = "category_cycle"


class NoImage(NotFound):
    """This product has no image."""

    code = "no_image"


class UnsupportedImage(Problem):
    """An image is a PNG, a JPEG or a WebP file."""

    status = 415
    code = "unsupported_image"


class BrokenImage(Unprocessable):
    """The image can't be read to its end."""

    code = "broken_image"


class NoBarcode(NotFound):
    """This product has no barcode that can be printed."""

    code = "no_barcode"


class StoreAway(Unavailable):
    """The store of images can't be reached at the moment."""


class UnreadableFile(Unprocessable):
    """The file can't be read as a table of products."""

    code = "unreadable_file"


class UnknownImport(NotFound):
    """There is no such import."""

    code = "unknown_import"
