"""The built-in roles as sets of permissions. Admins define others, which auth stores."""

from collections.abc import Mapping
from enum import StrEnum

from stockbuddy.chassis.access.permissions import ALL, Permission


class Role(StrEnum):
    """A built-in role; each has all permissions of the one before it."""

    VIEWER = "viewer"
    SALESPERSON = "salesperson"
    MANAGER = "manager"
    ADMIN = "admin"


_VIEWER = frozenset({Permission.CATALOG_READ, Permission.STOCK_READ})
_SALESPERSON = _VIEWER | {
    Permission.CATALOG_WRITE,
    Permission.CATALOG_DELETE,
    Permission.STOCK_MOVE,
    Permission.STOCK_COUNT,
    Permission.STOCK_TRANSFER,
    Permission.RESERVATION_WRITE,
    Permission.SALE_READ,
    Permission.SALE_CREATE,
    Permission.SALE_DISCOUNT,
    Permission.SALE_RETURN,
    Permission.SALE_VOID,
    Permission.CUSTOMER_READ,
    Permission.CUSTOMER_WRITE,
    Permission.REPORT_READ,
    Permission.EVENT_READ,
}
_MANAGER = _SALESPERSON | {
    Permission.CATALOG_WRITE_ANY,
    Permission.STOCK_MOVE_ANY,
    Permission.WAREHOUSE_WRITE,
    Permission.RESERVATION_RELEASE_ANY,
    Permission.SALE_VOID_ANY,
    Permission.PURCHASE_READ,
    Permission.PURCHASE_WRITE,
    Permission.PURCHASE_RECEIVE,
    Permission.REORDER_WRITE,
    Permission.EXPENSE_READ,
    Permission.EXPENSE_WRITE,
    Permission.COST_READ,
    Permission.IMPORT_RUN,
    Permission.EXPORT_RUN,
    Permission.VIEW_SHARE,
}

PERMISSIONS_BY_ROLE: Mapping[str, frozenset[Permission]] = {
    Role.VIEWER: _VIEWER,
    Role.SALESPERSON: _SALESPERSON,
    Role.MANAGER: _MANAGER,
    Role.ADMIN: ALL,
}
