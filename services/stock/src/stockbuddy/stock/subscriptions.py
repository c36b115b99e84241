"""What the stock service hears, and what it does about it."""

from stockbuddy.chassis.messaging.handlers import Consumer, batch
from stockbuddy.contracts.auth import SettingsChanged
from stockbuddy.contracts.catalog import (
    CategoryUpdated,
    ProductCreated,
    ProductDeleted,
    ProductRestored,
    ProductUpdated,
    SupplierCreated,
    SupplierDeleted,
    SupplierUpdated,
)
from stockbuddy.stock.inventory.movements import opening_stock as products
from stockbuddy.stock.replicas.suppliers import handlers as suppliers
from stockbuddy.stock.replicas.system_settings import handlers as system_settings

CONSUMERS = [
    Consumer(
        "stock.catalog.v1",
        {
            ProductCreated.type: products.copy_created,
            ProductUpdated.type: batch(ProductUpdated, products.copy_states),
            ProductDeleted.type: batch(ProductDeleted, products.copy_states),
            ProductRestored.type: batch(ProductRestored, products.copy_states),
            CategoryUpdated.type: batch(CategoryUpdated, products.name_categories),
            SupplierCreated.type: batch(SupplierCreated, suppliers.copy_states),
            SupplierUpdated.type: batch(SupplierUpdated, suppliers.copy_states),
            SupplierDeleted.type: batch(SupplierDeleted, suppliers.copy_states),
        },
    ),
    Consumer("stock.settings.v1", {SettingsChanged.type: batch(SettingsChanged, system_settings.copy_states)}),
]
