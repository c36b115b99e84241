"""The events that the stock service consumes."""

from stockbuddy.chassis.http.jobs.queries import erase_persons_from_jobs
from stockbuddy.chassis.messaging.erasure import erasure_consumer
from stockbuddy.chassis.messaging.handlers import Consumer, batch
from stockbuddy.contracts.auth import SettingsChanged
from stockbuddy.contracts.catalog import (
    CategoryCreated,
    CategoryDeleted,
    CategoryRepublished,
    CategoryUpdated,
    ProductCreated,
    ProductDeleted,
    ProductQuantityImported,
    ProductRepublished,
    ProductRestored,
    ProductUpdated,
    SupplierCreated,
    SupplierDeleted,
    SupplierUpdated,
)
from stockbuddy.stock.documents.persons.erasure_queries import erase_persons_from_sales
from stockbuddy.stock.insights.report_schedules.queries import erase_persons_from_report_schedules
from stockbuddy.stock.inventory.movements.imported_quantities import consume_imported_quantities
from stockbuddy.stock.inventory.movements.opening_stock import consume_created_products
from stockbuddy.stock.replicas.categories import replicate_categories
from stockbuddy.stock.replicas.products.replicate import replicate_products
from stockbuddy.stock.replicas.suppliers import replicate_suppliers
from stockbuddy.stock.replicas.system_settings import replicate_settings
from stockbuddy.stock.replicas.users import user_handlers

CONSUMERS = [
    Consumer(
        "stock.catalog.v1",
        {
            ProductCreated.type: consume_created_products,
            ProductUpdated.type: batch(ProductUpdated, replicate_products),
            ProductQuantityImported.type: consume_imported_quantities,
            ProductDeleted.type: batch(ProductDeleted, replicate_products),
            ProductRestored.type: batch(ProductRestored, replicate_products),
            SupplierCreated.type: batch(SupplierCreated, replicate_suppliers),
            SupplierUpdated.type: batch(SupplierUpdated, replicate_suppliers),
            SupplierDeleted.type: batch(SupplierDeleted, replicate_suppliers),
        },
    ),
    Consumer(
        "stock.categories.v1",
        {
            CategoryCreated.type: batch(CategoryCreated, replicate_categories),
            CategoryUpdated.type: batch(CategoryUpdated, replicate_categories),
            CategoryDeleted.type: batch(CategoryDeleted, replicate_categories),
            CategoryRepublished.type: batch(CategoryRepublished, replicate_categories),
            ProductRepublished.type: batch(ProductRepublished, replicate_products),
        },
    ),
    Consumer("stock.users.v1", user_handlers()),
    Consumer("stock.settings.v1", {SettingsChanged.type: batch(SettingsChanged, replicate_settings)}),
    erasure_consumer(
        "stock.erasure.v1", erase_persons_from_sales, erase_persons_from_jobs, erase_persons_from_report_schedules
    ),
]
