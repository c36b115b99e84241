"""What the catalogue hears, and which handler takes it."""

from stockbuddy.catalog.levels.handlers import project_levels, project_warehouses
from stockbuddy.catalog.system_settings.handlers import project_settings
from stockbuddy.chassis.messaging.handlers import Consumer, batch, each
from stockbuddy.contracts.auth import SettingsChanged
from stockbuddy.contracts.stock import LevelChanged, WarehouseCreated, WarehouseDeleted, WarehouseUpdated

CONSUMERS = [
    Consumer(
        "catalog.stock.v1",
        {
            LevelChanged.type: batch(LevelChanged, project_levels),
            WarehouseCreated.type: batch(WarehouseCreated, project_warehouses),
            WarehouseUpdated.type: batch(WarehouseUpdated, project_warehouses),
            WarehouseDeleted.type: batch(WarehouseDeleted, project_warehouses),
        },
    ),
    Consumer("catalog.settings.v1", {SettingsChanged.type: each(SettingsChanged, project_settings)}),
]
