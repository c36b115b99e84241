"""What an operator may set for auth alone."""

import os
from pathlib import Path
from typing import Annotated

from fastapi import Depends, Request
from pydantic import Field, PositiveFloat, PositiveInt

from stockbuddy.chassis.runtime.settings import ServiceSettings


class AuthSettings(ServiceSettings):
    """`secret_key` seals what the database keeps but must not tell (docs/adr/0004-signing-keys.md).
    At most `hashing_threads` passwords are hashed at once, and `hashing_queue` more wait.
    `login_pause_seconds` is the first pause after too many failed logins; each further one doubles it.
    Letters go to the server `smtp_url`, or, without one, as files into the directory `mail_outbox`; their link for a
    new password is `password_reset_url` with `{token}` in it. `exchanged_token_seconds` is how long a token lives
    that the gateway gets for an API key or a cookie."""

    port: int = Field(default=8001, ge=0, le=65535)
    secret_key: str = Field(default="development-key-that-protects-nothing", min_length=32, repr=False)
    access_token_seconds: PositiveInt = 900
    session_days: PositiveInt = 30
    hashing_threads: PositiveInt = max(1, (os.cpu_count() or 2) // 2)
    hashing_queue: PositiveInt = 100
    login_pause_seconds: PositiveInt = 5
    signing_key_reread_seconds: PositiveFloat = 5
    signing_key_ahead_seconds: PositiveInt = 120
    signing_key_days: PositiveInt = 90
    smtp_url: str | None = Field(default=None, repr=False)
    mail_from: str = "Stockbuddy <stockbuddy@localhost>"
    mail_outbox: Path = Path(".stockbuddy/outbox")
    password_reset_url: str | None = None
    password_reset_seconds: PositiveInt = 3600
    invitation_days: PositiveInt = 7
    exchanged_token_seconds: PositiveInt = 60


def settings_of(request: Request) -> AuthSettings:
    settings: AuthSettings = request.app.state.settings
    return settings


Settings = Annotated[AuthSettings, Depends(settings_of)]
