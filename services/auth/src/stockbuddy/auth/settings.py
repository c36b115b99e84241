"""The settings of auth."""

import os
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field, PositiveFloat, PositiveInt, SecretStr

from stockbuddy.auth.identity_providers.configuration import IdentityProviders, require_secure_url
from stockbuddy.chassis.http.internal_calls import InternalCallSettings
from stockbuddy.chassis.runtime.settings import AccessTokenSettings
from stockbuddy.chassis.smtp import SmtpSettings


class AuthSettings(AccessTokenSettings, SmtpSettings, InternalCallSettings):
    """The environment of an auth process. docs/operations.md explains each setting."""

    port: int = Field(default=8001, ge=0, le=65535)
    secret_key: SecretStr = Field(default=SecretStr("development-key-that-protects-nothing"), min_length=32)
    """Encrypts stored secrets (docs/adr/0004-signing-keys.md)."""

    exchanged_token_ttl_seconds: PositiveInt = 60
    session_days: PositiveInt = 30
    session_max_days: PositiveInt = 90
    step_up_seconds: PositiveInt = 600
    invitation_days: PositiveInt = 7
    signing_key_days: PositiveInt = 90
    signing_key_activation_delay_seconds: PositiveInt = 120
    signing_key_reload_interval_seconds: PositiveFloat = 5
    public_url: Annotated[str, AfterValidator(require_secure_url)] = "http://localhost:8000"
    """Where browsers reach the system; passkeys belong to its host."""
    oidc_providers: IdentityProviders = []
    hashing_threads: PositiveInt = max(1, (os.cpu_count() or 2) // 2)
    hashing_queue_size: PositiveInt = 100
    hashing_queue_size_per_address: PositiveInt = 20
    hashing_iterations: PositiveInt = 2
    hashing_memory_kibibytes: int = Field(default=19 * 1024, ge=8)
    """Iterations and memory of argon2id; the defaults are OWASP's. Each user's next login applies a changed cost."""
    login_backoff_seconds: PositiveInt = 5
    mail_outbox: Path = Path(".stockbuddy/outbox")
    password_reset_url: str | None = None
    """A link with `{token}` in it; by default the console's page."""
    password_reset_seconds: PositiveInt = 3600
    email_confirmation_url: str | None = None
    """A link with `{token}` in it; by default the console's page."""
    email_confirmation_seconds: PositiveInt = 86_400

    @property
    def sends_emails(self) -> bool:
        """False without an SMTP server: then e-mails are files for the operator, and registration queues none."""
        return self.smtp_url is not None
