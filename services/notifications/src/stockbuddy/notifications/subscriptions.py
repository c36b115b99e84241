"""Consumer groups of this service and their handlers."""

from stockbuddy.chassis.messaging.erasure import erasure_consumer
from stockbuddy.chassis.messaging.handlers import Consumer
from stockbuddy.contracts.auth import EmailFailed, EmailsDelayed, RoleState, SettingsChanged, UserState
from stockbuddy.contracts.catalog import ImportFinished, ProductState
from stockbuddy.contracts.notifications import (
    NotificationEmailFailed,
    NotificationEmailsDelayed,
    WebhookDisabled,
    WebhookFailing,
)
from stockbuddy.contracts.stock import (
    ActivityUnusual,
    LevelDepleted,
    LevelLow,
    LevelRecovered,
    ReportFailed,
    ReportProduced,
    ReportSchedulePaused,
    WarehouseState,
)
from stockbuddy.notifications.alerts import handlers as alerts
from stockbuddy.notifications.event_log.append import Appender, append_messages
from stockbuddy.notifications.replicas import handlers as replicas
from stockbuddy.notifications.reports import handlers as reports
from stockbuddy.notifications.webhooks.owners import apply_roles, apply_users

CONSUMERS = [
    erasure_consumer("notifications.erasure.v1"),
    # One lane: the log is one chain, and its throughput comes from large batches.
    Consumer("notifications.log.v1", {"#": append_messages}, lanes=1, batch_size=500, repeatable=Appender().append),
    Consumer(
        "notifications.people.v1",
        {
            **replicas.handlers_for(UserState, apply_users),
            **replicas.handlers_for(ProductState, replicas.upsert_products),
            **replicas.handlers_for(WarehouseState, replicas.upsert_warehouses),
            SettingsChanged.type: replicas.upsert_settings,
        },
    ),
    Consumer("notifications.roles.v1", replicas.handlers_for(RoleState, apply_roles)),
    Consumer(
        "notifications.reports.v1",
        {
            ReportProduced.type: reports.notify_report_produced,
            ReportFailed.type: reports.notify_report_failed,
            ReportSchedulePaused.type: reports.notify_schedule_paused,
        },
    ),
    Consumer(
        "notifications.alerts.v1",
        {
            LevelLow.type: alerts.notify_level_crossings,
            LevelDepleted.type: alerts.notify_level_crossings,
            LevelRecovered.type: alerts.notify_level_crossings,
            ActivityUnusual.type: alerts.notify_unusual_activity,
            ImportFinished.type: alerts.notify_import_finished,
            WebhookDisabled.type: alerts.notify_webhook_disabled,
            WebhookFailing.type: alerts.notify_webhook_failing,
            EmailFailed.type: alerts.notify_email_failed,
            EmailsDelayed.type: alerts.notify_emails_delayed,
            NotificationEmailFailed.type: alerts.notify_email_failed,
            NotificationEmailsDelayed.type: alerts.notify_emails_delayed,
        },
    ),
]
