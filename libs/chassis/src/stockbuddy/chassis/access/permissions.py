"""The permissions: `<resource>.<verb>`. Roles, API keys and apps have sets of them, and every route requires some.

A right that ends in `_any` lifts a restriction to what is one's own. Restrictions to warehouses apply in addition.
"""

from enum import StrEnum
from typing import Self


class Permission(StrEnum):
    """`description` completes the sentence "With it, one may …"."""

    description: str

    def __new__(cls, value: str, description: str = "") -> Self:
        member = str.__new__(cls, value)
        member._value_ = value
        member.description = description
        return member

    CATALOG_READ = "catalog.read", "read products, categories and suppliers"
    CATALOG_WRITE = "catalog.write", "create products, categories and suppliers, and change those one has created"
    CATALOG_WRITE_ANY = "catalog.write_any", "change and delete products, categories and suppliers of all users"
    CATALOG_DELETE = "catalog.delete", "delete products, categories and suppliers, and restore products"
    STOCK_READ = "stock.read", "read stock levels, movements, transfers, counts, reservations and warehouses"
    STOCK_MOVE = "stock.move", "post and reverse movements of the products one owns, and set their levels"
    STOCK_MOVE_ANY = "stock.move_any", "do so, transfer and count for the products of all users"
    STOCK_COUNT = "stock.count", "count stock and approve counts"
    STOCK_TRANSFER = "stock.transfer", "transfer stock between warehouses"
    WAREHOUSE_WRITE = "warehouse.write", "create, change and delete warehouses"
    RESERVATION_WRITE = "reservation.write", "reserve stock, and extend, release and commit one's own reservations"
    RESERVATION_RELEASE_ANY = (
        "reservation.release_any",
        "do so with everyone's reservations, without limits",
    )
    SALE_READ = "sale.read", "read sales and returns"
    SALE_CREATE = "sale.create", "sell"
    SALE_DISCOUNT = "sale.discount", "sell below the list price"
    SALE_RETURN = "sale.return", "take goods back"
    SALE_VOID = "sale.void", "void one's own sales"
    SALE_VOID_ANY = "sale.void_any", "void the sales of all users"
    CUSTOMER_READ = "customer.read", "read customers, and see their data in sales and events"
    CUSTOMER_WRITE = "customer.write", "create, change and delete customers"
    CUSTOMER_ERASE = "customer.erase", "export and erase the personal data of customers"
    PURCHASE_READ = "purchase.read", "read purchase orders and receipts"
    PURCHASE_WRITE = "purchase.write", "create, change, place and cancel purchase orders"
    PURCHASE_RECEIVE = "purchase.receive", "receive purchase orders"
    REORDER_WRITE = "reorder.write", "read, create, change and delete reorder rules"
    EXPENSE_READ = "expense.read", "read expenses"
    EXPENSE_WRITE = "expense.write", "create, change and delete expenses"
    COST_READ = "cost.read", "see costs, profits, margins and values of stock"
    REPORT_READ = "report.read", "read reports, forecasts, reorder suggestions and the dashboard"
    IMPORT_RUN = "import.run", "import files"
    EXPORT_RUN = "export.run", "export the catalogue"
    EVENT_READ = "event.read", "read the event log and the streams, within one's other permissions"
    AUDIT_READ = "audit.read", "read and verify the audit log, and see the addresses of clients"
    SYSTEM_READ = "system.read", "see the state of the system and its e-mail queues, and verify the ledger"
    USER_READ = "user.read", "read users"
    USER_MANAGE = "user.manage", "change the roles, warehouses and second factors of users, and deactivate them"
    ROLE_MANAGE = "role.manage", "create, change and delete roles"
    INVITATION_MANAGE = "invitation.manage", "invite users"
    KEY_MANAGE = "key.manage", "read and revoke the API keys of all users"
    SETTING_READ = "setting.read", "read the system settings"
    SETTING_WRITE = "setting.write", "change the system settings"
    ANNOUNCEMENT_WRITE = "announcement.write", "send notifications to users"
    EMAIL_RETRY = "email.retry", "send failed e-mails again"
    WEBHOOK_MANAGE = "webhook.manage", "create, change, test and delete webhooks"
    VIEW_SHARE = "view.share", "share saved views with all users, and delete those that others share"
    APP_MANAGE = "app.manage", "register, change and delete apps of third parties"


ALL = frozenset(Permission)


def sorted_names(permissions: frozenset[Permission]) -> list[str]:
    """Their names, in the order of the enumeration."""
    return [permission.value for permission in Permission if permission in permissions]
