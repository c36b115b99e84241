"""Sends e-mails with a span in the trace of each cause; used only if tracing is on. The recipient is not recorded."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiosmtplib import SMTP
from opentelemetry.trace import SpanKind

from stockbuddy.chassis.postgres.database import Database
from stockbuddy.notifications.email.content import traceparent_in
from stockbuddy.notifications.email.queries import LeasedEmail
from stockbuddy.notifications.email.sender import EmailSender
from stockbuddy.notifications.settings import NotificationsSettings

if TYPE_CHECKING:  # imports OpenTelemetry's SDK
    from stockbuddy.chassis.runtime.service_traces import Attributes, ServiceTracing


class TracedEmailSender(EmailSender):
    def __init__(self, database: Database, settings: NotificationsSettings, tracing: ServiceTracing) -> None:
        super().__init__(database, settings)
        self._tracing = tracing

    async def _compose_and_send(self, client: SMTP, email: LeasedEmail) -> None:
        causes = [traceparent_in(document) for document in email.documents]
        attributes: Attributes = {"stockbuddy.email.kind": email.kind, "stockbuddy.email.contents": len(causes)}
        with self._tracing.spans_of(causes, "send e-mail", SpanKind.CLIENT, attributes):
            await super()._compose_and_send(client, email)
