"""Settings of the notifications service."""

from typing import Annotated

from pydantic import BeforeValidator, Field, PositiveFloat, PositiveInt, SecretStr
from pydantic_settings import NoDecode

from stockbuddy.chassis.runtime.common_names import split_by_commas
from stockbuddy.chassis.runtime.settings import ReadReplicaSettings
from stockbuddy.chassis.smtp import SmtpSettings


class NotificationsSettings(SmtpSettings, ReadReplicaSettings):
    """The environment of the notifications service.

    Without `smtp_url` e-mails stay queued, for at most five days. `webhook_retry_seconds` are the delays after each
    failed attempt (about three days in total). A webhook without a success for `webhook_disable_after_seconds` is
    disabled. After a rotation the previous secret signs, too, for `webhook_rotation_seconds`. A checkpoint of the audit
    log is signed every `checkpoint_seconds`, with a key that is replaced after `checkpoint_key_days`, and sent to
    `checkpoint_emails`.
    """

    secret_key: SecretStr = Field(default=SecretStr("development-key-that-protects-nothing"), min_length=32)
    """Encrypts webhook secrets."""
    public_url: str = "http://localhost:8000"
    """Where browsers reach the system; e-mails link to its console."""
    external_events: bool = True
    """Publish every event as a message of its own for consumers outside the system; only on RabbitMQ."""
    webhook_allow_private: bool = False
    webhook_retry_seconds: Annotated[tuple[PositiveFloat, ...], NoDecode, BeforeValidator(split_by_commas)] = (
        *(5, 30, 120, 600, 3600),
        *(7200, 14400, 28800, 43200, 57600, 86400),
    )
    webhook_timeout_seconds: PositiveFloat = 15
    webhook_disable_after_seconds: PositiveFloat = 5 * 86400
    webhook_rotation_seconds: Annotated[float, Field(ge=0)] = 86400
    checkpoint_seconds: PositiveFloat = 3600
    checkpoint_key_days: PositiveInt = 365
    checkpoint_emails: Annotated[tuple[str, ...], NoDecode, BeforeValidator(split_by_commas)] = ()
    stream_keepalive_seconds: PositiveFloat = 15
    stream_stalled_seconds: PositiveFloat = 30
    stream_max_per_caller: PositiveInt = 20
