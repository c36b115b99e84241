"""Events that the catalog consumes, and their handlers."""

from stockbuddy.catalog.imports.erasure_queries import erase_persons_from_imports
from stockbuddy.catalog.replicas.open_documents import replicate_purchase_order, replicate_transfer
from stockbuddy.catalog.replicas.stock_levels import replicate_level_messages, replicate_levels
from stockbuddy.catalog.replicas.system_settings import replicate_settings, replicate_timezone
from stockbuddy.catalog.replicas.warehouses import replicate_warehouses
from stockbuddy.chassis.http.jobs.queries import erase_persons_from_jobs
from stockbuddy.chassis.messaging.erasure import erasure_consumer
from stockbuddy.chassis.messaging.handlers import Consumer, batch, each
from stockbuddy.contracts.auth import SettingsChanged
from stockbuddy.contracts.stock import (
    LevelChanged,
    PurchaseState,
    TransferState,
    WarehouseCreated,
    WarehouseDeleted,
    WarehouseUpdated,
)

CONSUMERS = [
    Consumer(
        "catalog.stock.v1",
        {
            LevelChanged.type: batch(LevelChanged, replicate_levels),
            WarehouseCreated.type: batch(WarehouseCreated, replicate_warehouses),
            WarehouseUpdated.type: batch(WarehouseUpdated, replicate_warehouses),
            WarehouseDeleted.type: batch(WarehouseDeleted, replicate_warehouses),
        },
        # One lane: a large delivery costs little more than a small one.
        lanes=1,
        batch_size=500,
        repeatable=replicate_level_messages,
    ),
    Consumer(
        "catalog.documents.v1",
        {
            "stock.purchase.*": each(PurchaseState, replicate_purchase_order),
            "stock.transfer.*": each(TransferState, replicate_transfer),
        },
    ),
    Consumer("catalog.settings.v1", {SettingsChanged.type: each(SettingsChanged, replicate_settings)}),
    Consumer("catalog.timezone.v1", {SettingsChanged.type: each(SettingsChanged, replicate_timezone)}),
    erasure_consumer("catalog.erasure.v1", erase_persons_from_imports, erase_persons_from_jobs),
]
