"""What can go wrong in the catalogue."""

from stockbuddy.chassis.errors import Conflict, Forbidden, NotFound


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
