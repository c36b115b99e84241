"""What this service hears, and what it does about it."""

from stockbuddy.chassis.messaging.handlers import Consumer
from stockbuddy.contracts.auth import SettingsChanged, UserState
from stockbuddy.contracts.catalog import ImportFinished, ProductState
from stockbuddy.contracts.notifications import WebhookDisabled
from stockbuddy.contracts.stock import ActivityUnusual, LevelDepleted, LevelLow, LevelRecovered, WarehouseState
from stockbuddy.notifications.alerts import handlers as alerts
from stockbuddy.notifications.event_log import handlers as event_log
from stockbuddy.notifications.replicas import handlers as people

CONSUMERS = [
    # One lane: the log is one chain, and large batches are what make it fast.
    Consumer("notifications.log.v1", {"#": event_log.record_events}, lanes=1, batch_size=200),
    Consumer(
        "notifications.people.v1",
        {
            **people.states_of(UserState, people.copy_users),
            **people.states_of(ProductState, people.copy_products),
            **people.states_of(WarehouseState, people.copy_warehouses),
            SettingsChanged.type: people.copy_settings,
        },
    ),
    Consumer(
        "notifications.alerts.v1",
        {
            LevelLow.type: alerts.watch_levels,
            LevelDepleted.type: alerts.watch_levels,
            LevelRecovered.type: alerts.watch_levels,
            ActivityUnusual.type: alerts.tell_of_unusual_activity,
            ImportFinished.type: alerts.tell_of_finished_import,
            WebhookDisabled.type: alerts.tell_of_disabled_webhook,
        },
    ),
]
